"""The tasks of the queue ``maintenance``: thin shells around plain functions."""
