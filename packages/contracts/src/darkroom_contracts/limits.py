"""How much is taken in, where a setting does not say otherwise. The API and the worker hold the same limits."""

MAX_IMAGE_BYTES = 25_000_000
"""The largest file of one image."""
MAX_PIXELS = 50_000_000
"""The most pixels of one image, width times height."""
MOST_PIXELS = 89_478_485
"""As far as the limit of pixels can be raised: beyond it, Pillow takes an image for a decompression bomb."""
MAX_IMAGES = 1_000
"""The most images of one group."""
MAX_WAITING_IMAGES = 100_000
"""The most images that may wait, of all owners together."""
MAX_WAITING_IMAGES_PER_OWNER = 50_000
"""The most images of one owner that may wait."""
MAX_REQUEST_BYTES = 512_000_000
"""The largest body of one request."""
MAX_URL = 4096
"""Characters of the URL of an image."""
MAX_COUNTS = 8
"""The most diagnostic counts that may be unfinished at once. Each holds a thread of the maintenance service."""
MAX_ADDITIONS = 100
"""The most diagnostic additions that may be unfinished at once."""
COUNTS_PER_SECOND = 10
"""How fast a diagnostic count counts."""
