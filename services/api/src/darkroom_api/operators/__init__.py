"""For those who run it: control, health, metrics and the queues' smoke test."""
