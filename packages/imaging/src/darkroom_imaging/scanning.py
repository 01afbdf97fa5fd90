"""Read a file's structure from its beginning to its end, within a budget."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

MAX_STEPS = 100_000
"""Parts of one file that are looked at: a GIF of 25 MB has about as many."""
_MIN_STEPS = 128
"""Parts of a file that are looked at although the budget is spent: enough to find the size of any honest image, and few
enough that a thousand files cost less than what the budget allows."""
_FIRST_CHUNK, _LARGEST_CHUNK = 16, 1 << 16


class TruncatedError(Exception):
    """The file ends too early."""


class BrokenError(Exception):
    """The file's structure makes no sense."""


class UnsupportedError(Exception):
    """The file may be sound, but is of a kind that is not read."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class BudgetSpentError(Exception):
    """The file has more parts than are looked at."""


@dataclass(slots=True)
class Budget:
    """How much is looked at in all files of one request together, so that none of them keeps the processor busy."""

    steps: int = 300_000


class Scanner:
    """A file that is walked through, and the size of the image it holds as soon as that was found."""

    def __init__(self, file: BinaryIO, budget: Budget) -> None:
        self._file = file
        self._budget = budget
        self._left = max(_MIN_STEPS, min(MAX_STEPS, budget.steps))
        self.length = file.seek(0, os.SEEK_END)
        self.size: tuple[int, int] | None = None
        file.seek(0)

    def step(self, count: int = 1) -> None:
        """Count parts of the file.

        Raises:
            BudgetSpentError: there were too many.
        """
        self._left -= count
        self._budget.steps -= count
        if self._left < 0:
            raise BudgetSpentError

    def take(self, count: int) -> bytes:
        """The next bytes, exactly as many.

        Raises:
            TruncatedError: there are fewer.
        """
        data = self._file.read(count)
        if len(data) < count:
            raise TruncatedError
        return data

    def read(self, count: int) -> bytes:
        """The next bytes, or as many as there are."""
        return self._file.read(count)

    def skip(self, count: int) -> None:
        """Pass over bytes.

        Raises:
            TruncatedError: there are fewer.
        """
        if self._file.seek(count, os.SEEK_CUR) > self.length:
            raise TruncatedError

    def seek(self, place: int) -> None:
        self._file.seek(place)

    def tell(self) -> int:
        return self._file.tell()

    def skip_run(self, byte: bytes) -> None:
        """Pass over a byte that is repeated, however often."""
        for chunk in self._chunks():
            if rest := chunk.lstrip(byte):
                self._file.seek(-len(rest), os.SEEK_CUR)
                return

    def find(self, wanted: bytes) -> None:
        """Pass over everything up to ``wanted``, and over that.

        Raises:
            TruncatedError: it does not come.
        """
        before = b""
        for chunk in self._chunks():
            searched = before + chunk
            if (at := searched.find(wanted)) >= 0:
                self._file.seek(at + len(wanted) - len(searched), os.SEEK_CUR)
                return
            before = searched[len(searched) - len(wanted) + 1 :]
        raise TruncatedError

    def _chunks(self) -> Iterator[bytes]:
        """What is left of the file, at first in small pieces: what is looked for mostly comes at once."""
        size = _FIRST_CHUNK
        while chunk := self._file.read(size):
            yield chunk
            size = min(2 * size, _LARGEST_CHUNK)
