"""Darkroom's worker: images on the queue ``images``, housekeeping on the queue ``maintenance``."""
