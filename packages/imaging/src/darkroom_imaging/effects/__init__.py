"""Each operation as a function of a picture or of its image."""
