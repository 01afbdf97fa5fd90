"""Darkroom's scheduler: sends tasks when they are due, and runs none itself."""
