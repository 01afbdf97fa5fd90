"""What sends mail, and what limits it."""
