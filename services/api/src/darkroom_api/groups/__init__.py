"""Groups of images: taking them in, their status and events, their results."""
