"""Darkroom's only way out: fetches the URLs of items and delivers webhooks, on the queue ``outbound``."""
