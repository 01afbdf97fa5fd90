"""What becomes of memory that an image has left.

By default the C library returns large blocks to the system at once. The next image gets them back page by page, each of
which the kernel clears first.
"""

import ctypes

_MMAP_THRESHOLD, _TRIM_THRESHOLD = -3, -1
"""As ``malloc.h`` numbers them."""
_LARGEST_BLOCK = 32 * 1024 * 1024
"""Up to which blocks are kept: Pillow's have 16 MB at most."""
_KEPT = 48 * 1024 * 1024
"""How much a process keeps of what it no longer uses."""
_LIBC = ctypes.CDLL(None)


def keep_freed_memory() -> None:
    """Let this process, and those that it forks, keep some memory for the next image. Does nothing without glibc."""
    if mallopt := getattr(_LIBC, "mallopt", None):
        mallopt(_MMAP_THRESHOLD, _LARGEST_BLOCK)
        mallopt(_TRIM_THRESHOLD, _KEPT)


def return_freed_memory() -> None:
    """Give the system back what is not used: after a large image, which may have left gaps."""
    if trim := getattr(_LIBC, "malloc_trim", None):
        trim(0)
