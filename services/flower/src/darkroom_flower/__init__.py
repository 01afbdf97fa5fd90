"""Flower for Darkroom: its settings, its queues and its logs. The rest is Flower's own."""
