"""Darkroom's maintenance service: recovery, expiry and diagnostics."""
