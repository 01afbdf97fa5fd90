"""How much memory the bodies may take that are being read, in all processes together."""

import fcntl
import mmap
import os
import struct
import tempfile
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

_PLACE = struct.Struct("=qqd")


class _Share(NamedTuple):
    """What one process has taken, and since when it has been waiting for more, if it has."""

    process: int
    used: int
    waiting_since: float


class Budget:
    """Bytes for several processes to share, which are those that the process that made this forks.

    Who has waited longest is next. Who asks for more than all there is gets it as long as nobody else has any. In each
    process it is used by one thread alone.

    Args:
        limit: the bytes.
        processes: the most that there are at the same time.
        patience: seconds after which nobody waits any longer.
    """

    def __init__(self, limit: int, *, processes: int, patience: float) -> None:
        self._limit = limit
        self._patience = patience
        self._table = mmap.mmap(-1, processes * _PLACE.size)
        self._lock, path = tempfile.mkstemp()
        Path(path).unlink()
        weakref.finalize(self, os.close, self._lock)

    def take(self, count: int, since: float, now: float) -> bool:
        """Take so many, if they are left and nobody has waited for longer than this body, which came at ``since``."""
        with self._locked():
            own = self._own()
            others = [share for share in self._shares() if share.process != own.process]
            used = own.used + sum(share.used for share in others)
            waiting = [share.waiting_since for share in others if share.waiting_since]
            earlier = any(now - self._patience < their < since for their in waiting)
            if earlier or (used and used + count > self._limit):
                self._write(own._replace(waiting_since=since))
                return False
            self._write(own._replace(used=own.used + count, waiting_since=0.0))
            return True

    def give_back(self, count: int) -> None:
        """Leave so many to others."""
        with self._locked():
            own = self._own()
            self._write(own._replace(used=own.used - count))

    def stop_waiting(self) -> None:
        """Let others go first from now on."""
        with self._locked():
            self._write(self._own()._replace(waiting_since=0.0))

    def forget(self, process: int) -> None:
        """Take back what a process had that has ended."""
        with self._locked():
            self._write(_Share(process, 0, 0.0))

    @contextmanager
    def _locked(self) -> Iterator[None]:
        fcntl.lockf(self._lock, fcntl.LOCK_EX)  # which ends with the process, however that ends
        try:
            yield
        finally:
            fcntl.lockf(self._lock, fcntl.LOCK_UN)

    def _shares(self) -> list[_Share]:
        return [_Share(*values) for values in _PLACE.iter_unpack(self._table[:])]

    def _own(self) -> _Share:
        process = os.getpid()
        return next((share for share in self._shares() if share.process == process), _Share(process, 0, 0.0))

    def _write(self, share: _Share) -> None:
        """Write a share to its place: the one that it has, or else a free one."""
        processes = [known.process if known.used or known.waiting_since else 0 for known in self._shares()]
        wanted = share.process if share.process in processes else 0
        if wanted or share.used or share.waiting_since:
            _PLACE.pack_into(self._table, processes.index(wanted) * _PLACE.size, *share)
