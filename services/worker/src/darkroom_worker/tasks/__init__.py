"""The worker's tasks: thin shells around plain functions."""
