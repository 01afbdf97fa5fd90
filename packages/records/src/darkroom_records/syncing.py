"""Waiting until the disk has what was written, so that a power cut cannot take it back."""

import os
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

_FILES_AT_ONCE = 8
"""Files of one batch that are synced at the same time: file systems write them down together."""


def sync(path: Path) -> None:
    """Wait until the disk has the bytes of this file, or the names in this folder.

    Raises:
        OSError: the disk failed; what it has is not known.
    """
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class Syncing:
    """Moves files to their places for good: the disk has their bytes first, and then their names."""

    def __init__(self) -> None:
        self._batch = threading.local()

    def move(self, file: Path, target: Path) -> None:
        """Move a file to its place, and wait until the disk has it there."""
        sync(file)  # before it has its name: the name of a file whose bytes were lost would lead to an empty one
        self._make_folder(target.parent)
        file.replace(target)
        self.names_in(target.parent)

    def names_in(self, folder: Path) -> None:
        """Wait until the disk has the names in a folder: at once, or at the end of the batch."""
        changed: set[Path] | None = getattr(self._batch, "changed", None)
        if changed is None:
            sync(folder)
        else:
            changed.add(folder)

    def run_all(self, steps: Iterable[Callable[[], None]]) -> None:
        """Take steps of which each moves files, and wait until the disk has all of them. Each folder is synced once.

        Raises:
            Exception: what the first step that failed has raised. None is under way any more.
        """
        changed: set[Path] = set()
        with ThreadPoolExecutor(_FILES_AT_ONCE, thread_name_prefix="sync") as pool:
            futures = [pool.submit(self._take, step, changed) for step in steps]
            try:
                for future in futures:
                    future.result()
            finally:
                pool.shutdown(cancel_futures=True)
        for folder in changed:
            sync(folder)

    def _take(self, step: Callable[[], None], changed: set[Path]) -> None:
        self._batch.changed = changed
        try:
            step()
        finally:
            del self._batch.changed

    def _make_folder(self, folder: Path) -> None:
        missing = [path for path in (folder, *folder.parents) if not path.is_dir()]
        folder.mkdir(parents=True, exist_ok=True)
        for made in missing:
            self.names_in(made.parent)
