"""Darkroom's HTTP API: takes groups of images in, shows how they go, and hands the results out."""
