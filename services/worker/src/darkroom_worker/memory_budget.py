"""The memory that the processes of one pool share out among the images they work on. Independent of Celery.

A process asks for what its image needs and waits until that is free; who asked first is next, so none starves. What a
process had is free again once it has ended, however it ended: the kernel drops its locks then.
"""

import fcntl
import mmap
import os
import struct
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

_ENTRY = struct.Struct("=QQQ")
"""What a process asks for, since when (a number that grows), and whether it has it."""
_NUMBER = struct.Struct("=QQ")
"""The number that was given out last, and how many seats were ever taken."""
_SEATS = 1024
_ENTRIES_AT = 4096
_POLL = 0.02


class BusyError(Exception):
    """The memory was not free in time."""


@dataclass(slots=True)
class _Request:
    seat: int
    size: int
    number: int
    granted: bool


class MemoryBudget:
    """Bytes to share out. Make it before the fork; each process then holds what it asks for under a lock of its own.

    Args:
        total: the bytes there are. Whoever needs more gets all of them, and so is alone.
    """

    def __init__(self, total: int) -> None:
        self.total = total
        # Locks belong to processes, and end with them or with the first descriptor of the file they close: this one.
        self._file, path = tempfile.mkstemp()
        Path(path).unlink()
        os.truncate(self._file, _ENTRIES_AT + _SEATS * _ENTRY.size)
        self._memory = mmap.mmap(self._file, 0)
        self._seat = -1
        self._owner = 0

    @contextmanager
    def hold(self, size: int, *, seconds: float) -> Iterator[None]:
        """Hold memory for as long as the block runs.

        Args:
            size: in bytes.
            seconds: how long to wait for it.

        Raises:
            BusyError: others held it all that time.
        """
        self._sit_down()
        try:
            self._wait(min(size, self.total), seconds)
            yield
        finally:
            with self._locked():
                self._clear(self._seat)

    def held(self) -> int:
        """Return the bytes that are held."""
        with self._locked():
            return sum(request.size for request in self._requests() if request.granted)

    def waiting(self) -> int:
        """Return how many processes wait."""
        with self._locked():
            return sum(not request.granted for request in self._requests())

    def _wait(self, size: int, seconds: float) -> None:
        with self._locked():
            number, seats = _NUMBER.unpack_from(self._memory)
            _NUMBER.pack_into(self._memory, 0, number + 1, max(seats, self._seat + 1))
            self._write(_Request(self._seat, size, number + 1, granted=False))
            self._grant()
            if self._has_memory():
                return
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            time.sleep(_POLL)
            with self._locked():
                self._grant()
                if self._has_memory():
                    return
        raise BusyError

    def _grant(self) -> None:
        """Give what is free to those who wait, in their order."""
        requests = self._requests()
        free = self.total - sum(request.size for request in requests if request.granted)
        for request in sorted(requests, key=lambda request: request.number):
            if request.granted:
                continue
            if request.size > free:
                return
            free -= request.size
            request.granted = True
            self._write(request)

    def _has_memory(self) -> bool:
        return bool(_ENTRY.unpack_from(self._memory, _offset(self._seat))[2])

    def _requests(self) -> list[_Request]:
        """What the living ask for or hold. The seats of the dead are cleared."""
        found = []
        for seat in range(_NUMBER.unpack_from(self._memory)[1]):
            size, number, granted = _ENTRY.unpack_from(self._memory, _offset(seat))
            if number == 0:
                continue
            if self._is_taken(seat):
                found.append(_Request(seat, size, number, bool(granted)))
            else:
                self._clear(seat)
        return found

    def _write(self, request: _Request) -> None:
        _ENTRY.pack_into(self._memory, _offset(request.seat), request.size, request.number, request.granted)

    def _clear(self, seat: int) -> None:
        _ENTRY.pack_into(self._memory, _offset(seat), 0, 0, 0)

    def _sit_down(self) -> None:
        """Take a seat that nobody holds, once for each process."""
        if self._owner == os.getpid():
            return
        with self._locked():
            for seat in range(_SEATS):
                if self._lock(seat):
                    self._clear(seat)
                    self._seat, self._owner = seat, os.getpid()
                    return
        raise RuntimeError(f"More than {_SEATS} processes share a memory budget.")

    def _is_taken(self, seat: int) -> bool:
        if seat == self._seat and self._owner == os.getpid():
            return True
        if not self._lock(seat):
            return True
        fcntl.lockf(self._file, fcntl.LOCK_UN, 1, 1 + seat)
        return False

    def _lock(self, seat: int) -> bool:
        with suppress(OSError):
            fcntl.lockf(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, 1 + seat)
            return True
        return False

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Have what is written down to oneself. Whoever dies meanwhile leaves at most an entry of its own."""
        fcntl.lockf(self._file, fcntl.LOCK_EX, 1, 0)
        try:
            yield
        finally:
            fcntl.lockf(self._file, fcntl.LOCK_UN, 1, 0)


def _offset(seat: int) -> int:
    return _ENTRIES_AT + seat * _ENTRY.size
