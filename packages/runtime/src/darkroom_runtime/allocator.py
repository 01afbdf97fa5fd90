"""What becomes of memory that nobody uses any more, where the C library is glibc. Elsewhere nothing is done.

By default, glibc maps blocks from 128 kB on by themselves and returns them to the system as soon as they are freed. It
raises that size to the largest block that was freed, and then each thread keeps about twice as much
(https://man7.org/linux/man-pages/man3/mallopt.3.html, M_MMAP_THRESHOLD).
"""

import ctypes
from typing import Any

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3
"""As ``malloc.h`` numbers them."""


def set_thresholds(*, mapped: int, kept: int) -> None:
    """Set for good what this process, and those that it forks, keep of freed memory.

    Args:
        mapped: bytes from which on a block is returned by itself as soon as it is freed.
        kept: bytes at the end of a heap that may remain of smaller ones.
    """
    if mallopt := _function("mallopt"):
        mallopt(_M_MMAP_THRESHOLD, mapped)
        mallopt(_M_TRIM_THRESHOLD, kept)


def trim() -> None:
    """Return what is not used now."""
    if malloc_trim := _function("malloc_trim"):
        malloc_trim(0)


def _function(name: str) -> Any:
    try:
        return getattr(ctypes.CDLL(None), name, None)
    except (OSError, TypeError):
        return None
