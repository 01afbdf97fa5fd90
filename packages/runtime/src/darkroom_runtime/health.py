"""How a process says that it is well, so that asking costs next to nothing.

Whatever proves that it gets on, such as the loop that takes messages, writes a line into a file every few seconds:
until when the line holds, and what is wrong, if anything is. A container's health check reads it with a few lines of
shell, ``darkroom-health``. Where the process is stopped, stuck or dead, the line runs out.
"""

import math
import os
import tempfile
from pathlib import Path

from darkroom_runtime.once import once

INTERVAL = 5.0
"""Seconds between two reports."""
VALIDITY = 3 * INTERVAL
"""Seconds that a report holds: two may be missed."""

_PREFIX = "darkroom-health."
_OK = "ok"


class HealthFile:
    """What this process says of its health. There is none where the system has no ``/proc``, as macOS."""

    def __init__(self) -> None:
        self._folder = Path(tempfile.gettempdir())
        self._file = self._folder / f"{_PREFIX}{os.getpid()}"
        _remove_leftovers(self._folder)

    def report(self, trouble: str | None = None, *, validity: float = VALIDITY) -> None:
        """Say that the process is well, or what is wrong.

        Args:
            trouble: a sentence.
            validity: seconds after which the report is worth nothing.
        """
        try:
            # Not by the clock, which may be set while the process is stopped.
            uptime = float(Path("/proc/uptime").read_text().split()[0])
            boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        except FileNotFoundError:
            return
        written = self._folder / f".{self._file.name}"  # so that nobody reads half a line
        written.write_text(f"{boot} {math.ceil(uptime + validity)} {trouble or _OK}\n")
        written.replace(self._file)

    def remove(self) -> None:
        """Say nothing any more."""
        self._file.unlink(missing_ok=True)


@once
def process_health() -> HealthFile:
    """The health file of this process, for all that has something to say about it."""
    return HealthFile()


def _remove_leftovers(folder: Path) -> None:
    """Remove what earlier processes left when they were killed, one with the number of this process included."""
    for file in folder.glob(f"{_PREFIX}*"):
        pid = file.name.removeprefix(_PREFIX)
        if pid == str(os.getpid()) or not Path("/proc", pid).exists():
            file.unlink(missing_ok=True)
