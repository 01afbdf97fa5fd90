"""How much is taken in, where a setting does not say otherwise. The API and the worker hold the same limits."""

MAX_IMAGE_BYTES = 25_000_000
"""The largest file of one image."""
MAX_PIXELS = 50_000_000
"""The most pixels of one image, width times height."""
MAX_IMAGES = 1_000
"""The most images of one group."""
MAX_REQUEST_BYTES = 512_000_000
"""The largest body of one request."""
