"""What a client has sent and nobody has read yet."""

import tempfile
from pathlib import Path
from typing import IO

from gunicorn.http.unreader import Unreader  # type: ignore[import-untyped]  # it ships no types

IN_MEMORY = 16 * 1024
"""Bytes of a body that are kept in memory; a longer one goes to a file."""
PIECE = 128 * 1024
"""Bytes that are read back at a time."""


class Space:
    """How much of the disk bodies may take until they are read.

    Args:
        limit: bytes.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self.used = 0

    def is_left(self, count: int) -> bool:
        """Whether there is room for so many bytes more."""
        return self.used + count <= self._limit


class Received:
    """Bytes in the order they came in: a few in memory, many in a file without a name, which no crash leaves behind.

    Args:
        folder: for the file. It must be on a disk: where ``/tmp`` is one in memory, it is no place for bodies.
        space: where the bytes of the file are counted.
    """

    def __init__(self, folder: Path, space: Space) -> None:
        self._folder = folder
        self._space = space
        self._memory = bytearray()
        self._file: IO[bytes] | None = None
        self._written = 0
        self._read = 0

    @property
    def size(self) -> int:
        """Bytes that were received since the head."""
        return self._written or len(self._memory)

    @property
    def on_disk(self) -> int:
        """Bytes of the file."""
        return self._written

    def goes_to_disk(self, count: int) -> bool:
        """Whether so many bytes more would be written to the file."""
        return self._file is not None or len(self._memory) + count > IN_MEMORY

    def append(self, data: bytes | memoryview) -> None:
        """Add what has just come in."""
        if not self.goes_to_disk(len(data)):
            self._memory += data
            return
        if self._file is None:
            self._file = tempfile.TemporaryFile(dir=self._folder, buffering=0)  # noqa: SIM115 - closed by close()
        left = memoryview(data)
        while left:
            written = self._file.write(left)
            left = left[written:]
            self._written += written
            self._space.used += written

    def take(self) -> bytes:
        """The next bytes, in pieces of a bearable size. None are left once there is nothing more to come."""
        if self._memory:
            data = bytes(self._memory)
            self._memory.clear()
            return data
        if self._file is None or self._read == self._written:
            return b""
        self._file.seek(self._read)
        data = self._file.read(min(PIECE, self._written - self._read))
        self._read += len(data)
        return data

    def rest(self) -> bytes:
        """All that is left, of which there must be little."""
        return b"".join(iter(self.take, b""))

    def close(self) -> None:
        """Forget everything."""
        self._memory.clear()
        if self._file is not None:
            self._file.close()
            self._file = None
        self._space.used -= self._written
        self._written = self._read = 0


class ReceivedUnreader(Unreader):  # type: ignore[misc]  # for the same reason
    """Gives gunicorn's parser what was received, and never waits for more."""

    def __init__(self, received: Received) -> None:
        super().__init__()
        self._received = received

    def chunk(self, size_hint: int | None = None) -> bytes:  # noqa: ARG002 - as gunicorn calls it
        return self._received.take()

    def buffered(self) -> bytes:
        """What the parser was given but has not used."""
        data: bytes = self.buf.getvalue()
        return data
