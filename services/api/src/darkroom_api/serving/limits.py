"""How many connections there may be, and how much memory is kept that nobody uses."""

import ctypes
import resource

_OWN = 256
"""Descriptors that a process needs for other things: Redis, its logs, images that are being written."""
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3  # <malloc.h>


def raise_descriptor_limit() -> None:
    """Allow this process as many open files as it may ask for. The usual 1,024 are soon used up by idle clients."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 65_536 if hard == resource.RLIM_INFINITY else min(hard, 65_536)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    except (OSError, ValueError):  # macOS allows fewer than it says
        return


def connection_limit(wanted: int) -> int:
    """How many connections a process takes, of which each may need a second descriptor for its body."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return wanted if soft == resource.RLIM_INFINITY else max(16, min(wanted, (soft - _OWN) // 2))


def return_freed_memory() -> None:
    """Give large blocks back to the system as soon as they are freed, where the C library is glibc.

    It would raise the size from which it does so to that of the largest body, and each thread would keep as much from
    then on (https://man7.org/linux/man-pages/man3/mallopt.3.html, M_MMAP_THRESHOLD).
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):
        return
    mallopt(_M_MMAP_THRESHOLD, 1024 * 1024)
    mallopt(_M_TRIM_THRESHOLD, 2 * 1024 * 1024)
