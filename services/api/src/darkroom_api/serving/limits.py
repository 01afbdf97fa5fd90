"""How many connections there may be."""

import resource

_OWN = 256
"""Descriptors that a process needs for other things: Redis, its logs, images that are being written."""


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
