"""Files under way into a storage folder, and how it is known that nobody writes them any more.

Each process has a folder of its own and holds a lock on it for as long as it lives, so that what a killed one leaves is
told from the files of an honest upload that takes an hour.
"""

import fcntl
import os
import secrets
import shutil
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

_LONGEST = 24 * 3600
"""Seconds after which a file is given up, whatever the lock says: an older version, or a file system, may have none."""


class Incoming:
    """The files under way of all processes below one folder.

    Args:
        root: the folder.
        must_exist: whether the folder that it lies in is never made.
    """

    def __init__(self, root: Path, *, must_exist: bool = False) -> None:
        self._root = root
        self._must_exist = must_exist
        self._own: tuple[int, Path] | None = None  # a process, and its folder

    def exists(self) -> bool:
        """Whether a file was ever begun here."""
        return self._root.is_dir()

    def new_file(self) -> Path:
        """Return a place for a file of this process."""
        own = self._own
        if own is None or own[0] != os.getpid() or not own[1].is_dir():
            own = self._own = (os.getpid(), self._open())
        return own[1] / secrets.token_hex(16)

    def discard_abandoned(self, *, idle: float) -> None:
        """Delete the files of processes that have ended, if nothing was written to them for so many seconds."""
        for entry in _entries(self._root):
            age = time.time() - _last_written(entry)
            if not entry.is_dir():
                if age > _LONGEST:
                    entry.unlink(missing_ok=True)
            elif age > _LONGEST or (age > idle and _is_unlocked(entry)):
                shutil.rmtree(entry, ignore_errors=True)

    def _open(self) -> Path:
        self._root.mkdir(parents=not self._must_exist, exist_ok=True)  # not before: a reader may have no right to
        folder = self._root / secrets.token_hex(8)
        folder.mkdir()
        lock = os.open(folder, os.O_RDONLY)  # open until the process ends
        with suppress(OSError):  # a file system without locks: then only time tells
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return folder


def _is_unlocked(folder: Path) -> bool:
    try:
        lock = os.open(folder, os.O_RDONLY)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    finally:
        os.close(lock)
    return True


def _last_written(path: Path) -> float:
    return max([_modified(path), *(_modified(file) for file in _entries(path))])


def _modified(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return time.time()


def _entries(folder: Path) -> Iterator[Path]:
    with suppress(FileNotFoundError, NotADirectoryError), os.scandir(folder) as entries:
        for entry in entries:
            yield Path(entry.path)
