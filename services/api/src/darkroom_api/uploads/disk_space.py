"""How much of the disk stays free, for work that was accepted: below that, nothing more is taken in."""

import os
import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import structlog

_BYTES = re.compile(r"[0-9]{1,15}")
_SHARE = re.compile(r"([0-9]{1,2}(?:\.[0-9]{1,3})?)%")
_HOLDS = 0.5
"""Seconds for which a measurement is good enough for bodies on their way: they ask with every piece."""

_log = structlog.get_logger(__name__)


def check_minimum(text: str) -> str:
    """Return the text, which says how much stays free: bytes, or a share of the disk.

    Raises:
        ValueError: it is neither.
    """
    if not _BYTES.fullmatch(text) and not _SHARE.fullmatch(text):
        raise ValueError("expected bytes, such as 1000000000, or a share of the disk, such as 2%")
    return text


@dataclass(frozen=True, slots=True)
class Space:
    """How a disk is filled, in bytes."""

    free: int
    minimum: int

    @property
    def is_low(self) -> bool:
        """Whether less is free than is to stay free."""
        return self.free < self.minimum


class DiskSpace:
    """The disk that bodies, originals and results go to.

    Args:
        folder: on the disk. While it is missing, as before the first image, the one above it counts.
        minimum: how much of it stays free, as ``check_minimum`` takes it.
        statvfs: what asks the system.
    """

    def __init__(
        self, folder: Path, minimum: str, *, statvfs: Callable[[Path], os.statvfs_result] = os.statvfs
    ) -> None:
        self._folder = folder
        self._minimum = minimum
        self._statvfs = statvfs
        self._lock = threading.Lock()
        self._was_low = False
        self._checked = 0.0

    def measure(self) -> Space:
        """Ask the system now.

        Raises:
            OSError: the disk is away.
        """
        found = self._statvfs(self._nearest())
        share = _SHARE.fullmatch(self._minimum)
        minimum = int(found.f_blocks * found.f_frsize * float(share[1]) / 100) if share else int(self._minimum)
        space = Space(free=found.f_bavail * found.f_frsize, minimum=minimum)
        self._note(space)
        return space

    def is_low(self) -> bool:
        """Whether too little is free for another piece of a body: as it was half a second ago, at the latest.

        A disk that is away is not low on space; what is written to it fails by itself.
        """
        if time.monotonic() - self._checked < _HOLDS:
            return self._was_low
        try:
            return self.measure().is_low
        except OSError:
            return False

    def _nearest(self) -> Path:
        return next((path for path in (self._folder, *self._folder.absolute().parents) if path.exists()), self._folder)

    def _note(self, space: Space) -> None:
        with self._lock:
            changed = space.is_low is not self._was_low
            self._was_low, self._checked = space.is_low, time.monotonic()
        if changed and space.is_low:
            _log.warning("disk_space_low", free=space.free, minimum=space.minimum)
        elif changed:
            _log.info("disk_space_sufficient", free=space.free, minimum=space.minimum)
