"""Darkroom's mailer: results, confirmations and the weekly newsletter, on the queue ``mail``."""
