"""How long an image waits while storage is unavailable, and where. Independent of Celery."""

import errno
import time
from dataclasses import dataclass

from darkroom_records.blobs import BlobStorage

_FULL = {errno.ENOSPC, errno.EDQUOT}
_FIRST_WAIT = 1.0
_LONGEST_WAIT = 30.0
_POLL = 1.0
STORAGE_FAILURES = "storage_failures"
"""The message header that says how often in a row the storage has failed this image."""
MAX_FAILURES = 8
"""How often in a row working storage may fail an image: for two minutes, as the waits add up."""


@dataclass(frozen=True, slots=True)
class Wait:
    """Seconds until an image is tried again, and whether all others would have to wait as well."""

    seconds: float
    concerns_all: bool


def next_wait(storage: BlobStorage, error: BaseException | None, failures: int) -> Wait | None:
    """Return how long to wait after storage has failed an image.

    Args:
        storage: is asked whether it fails altogether.
        error: what it failed with.
        failures: how often in a row it has failed this image, this time included.

    Returns:
        The wait, or None where it is this image alone that fails, again and again.
    """
    seconds = min(_FIRST_WAIT * 2 ** (failures - 1), _LONGEST_WAIT)
    is_full = isinstance(error, OSError) and error.errno in _FULL
    if is_full or not _is_well(storage):
        return Wait(seconds, concerns_all=True)
    return None if failures > MAX_FAILURES else Wait(seconds, concerns_all=False)


def wait_until_well(storage: BlobStorage, at_least: float) -> None:
    """Wait at least this long, and until storage works again, but no longer than the longest wait."""
    began = time.monotonic()
    time.sleep(at_least)
    while not _is_well(storage) and time.monotonic() - began < _LONGEST_WAIT:
        time.sleep(_POLL)


def _is_well(storage: BlobStorage) -> bool:
    try:
        storage.check()
    except OSError:
        return False
    return True
