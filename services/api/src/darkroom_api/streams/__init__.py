"""Streams of events: a group is read once for each change, however many follow it."""
