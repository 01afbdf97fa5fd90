"""Darkroom's worker: processes the images of the queue ``images``."""
