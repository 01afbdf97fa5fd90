"""What happens when in Darkroom. The scheduler sends tasks and runs none itself."""
