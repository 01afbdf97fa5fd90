"""Darkroom's housekeeping: recovery, expiry, the overview of workers and queues, and diagnostics."""
