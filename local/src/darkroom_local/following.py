"""Follow the logs of a local system."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from darkroom_local.troubles import Troubles

_POLL = 0.3
_LAST_BYTES = 4_000

Show = Callable[[str, str], None]
"""Is given the name of a program, and a line of its log."""


@contextmanager
def following(folder: Path, show: Show, *, last_lines: bool = False) -> Iterator[None]:
    """Show each line that is added to a log of this folder within the block.

    Args:
        folder: with a file ``NAME.log`` for each program.
        show: what to do with a line.
        last_lines: whether to begin with what the logs end with.
    """
    tails = {file: _Tail(file, show, last_lines=last_lines) for file in sorted(folder.glob("*.log"))}
    ended = threading.Event()

    def read() -> None:
        while not ended.wait(_POLL):
            for tail in tails.values():
                tail.read()

    reader = threading.Thread(target=read, name="logs", daemon=True)
    reader.start()
    try:
        yield
    finally:
        ended.set()
        reader.join()
        for tail in tails.values():
            tail.read()


class _Tail:
    """The end of one log."""

    def __init__(self, file: Path, show: Show, *, last_lines: bool) -> None:
        self._file = file
        self._show = show
        size = file.stat().st_size
        self._position = max(size - _LAST_BYTES, 0) if last_lines else size
        self._rest = ""

    def read(self) -> None:
        """Show what was added since."""
        try:
            if self._file.stat().st_size < self._position:
                self._position = 0  # a new file has taken its place
            with self._file.open(errors="replace") as log:
                log.seek(self._position)
                *lines, self._rest = (self._rest + log.read()).split("\n")
                self._position = log.tell()
        except OSError:
            return  # it is being replaced
        for line in lines:
            self._show(self._file.stem, line)


_troubles: dict[str, Troubles] = {}


def print_trouble(program: str, line: str) -> None:
    """Print the line if it is a warning or an error."""
    if program in ("supervisor", "inbox"):
        return
    shown = _troubles.setdefault(program, Troubles(program)).show(line)
    if shown is not None:
        print(shown, flush=True)


def print_line(program: str, line: str) -> None:
    """Print the line, whatever it is."""
    print(f"{program}: {line}", flush=True)
