"""Image files as they come in: staged, named and inspected."""
