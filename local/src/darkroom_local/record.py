"""The record of a running system in its data folder, so that others find it and no second one is started."""

import fcntl
import json
import secrets
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import BinaryIO, Self

from darkroom_local.folder import Folder, open_private
from darkroom_local.ports import Ports
from darkroom_local.supervision import Control


class AlreadyRunningError(RuntimeError):
    """A system runs on this data folder."""


@dataclass(frozen=True, slots=True)
class Record:
    """The addresses of a system's programs, and the password of its supervisor."""

    ports: Ports
    password: str = field(default_factory=lambda: secrets.token_hex(16), repr=False)

    def write(self, folder: Folder) -> None:
        with open_private(_file(folder)) as file:
            json.dump(asdict(self), file)

    @classmethod
    def read(cls, folder: Folder) -> Self | None:
        """The record of the system that runs or ran last on this folder, if any did."""
        try:
            content = json.loads(_file(folder).read_text())
        except FileNotFoundError:
            return None
        return cls(ports=Ports(**content["ports"]), password=content["password"])

    def control(self) -> Control:
        """A connection to its supervisor."""
        return Control(self.ports.control, self.password)


def lock(folder: Folder) -> BinaryIO:
    """Lock the folder for one system, as long as any process holds this file open.

    Raises:
        AlreadyRunningError: another one has it.
    """
    file = (folder.run / "supervisor.out").open("ab")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        raise AlreadyRunningError(
            f"Darkroom is already running in {folder.root}. Stop it first, or choose another data folder."
        ) from None
    return file


def is_running(folder: Folder) -> bool:
    """Return whether a system runs on this folder, or is starting."""
    if not folder.run.is_dir():
        return False
    try:
        lock(folder).close()
    except AlreadyRunningError:
        return True
    return False


def _file(folder: Folder) -> Path:
    return folder.run / "system.json"
