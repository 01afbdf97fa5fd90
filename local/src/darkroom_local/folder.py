"""The one folder in which a local system keeps everything."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

_LAST_LINES = 8


@dataclass(frozen=True, slots=True)
class Folder:
    """The files and folders below the data folder."""

    root: Path

    def make(self) -> None:
        """Make the folders that are not there yet. They hold people's pictures, so they are for their owner only."""
        self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
        for folder in (self.redis, self.blobs, self.flower, self.logs, self.run):
            folder.mkdir(mode=0o700, exist_ok=True)

    @property
    def redis(self) -> Path:
        return self.root / "redis"

    @property
    def blobs(self) -> Path:
        return self.root / "blobs"

    @property
    def flower(self) -> Path:
        return self.root / "flower"

    @property
    def mail(self) -> Path:
        """A Maildir with every mail that was sent; the inbox makes it."""
        return self.root / "mail"

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    @property
    def run(self) -> Path:
        """Return the folder of files that only the running system needs."""
        return self.root / "run"

    def last_lines(self, program: str) -> str:
        """The end of what a program has written, and where to find the rest."""
        log = self.logs / f"{program}.log"
        lines = log.read_text(errors="replace").splitlines() if log.exists() else []
        return "\n".join([*lines[-_LAST_LINES:], f"({log} may say more)"])


def open_private(file: Path) -> TextIO:
    """Open a file for writing it anew, which only its owner may read."""
    return os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w")
