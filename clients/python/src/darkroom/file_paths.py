"""Where files that a server names may be written: never outside of the folder that was chosen."""

import re
import unicodedata
from pathlib import Path

_SEPARATORS = re.compile(r"[/\\]")
_UNSAFE = re.compile(r'[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069<>:"|?*\ud800-\udfff]')
_RESERVED = re.compile(r"(?i)(con|prn|aux|nul|conin\$|conout\$|com[0-9¹²³]|lpt[0-9¹²³])")
"""Devices on Windows, with any extension."""
_MAX_BYTES = 200
"""Of a part of a path. File systems take 255; the rest is for what marks a file that is not complete."""


class UnsafePathError(ValueError):
    """A file would be written outside of its folder."""


def safe_parts(name: str) -> list[str]:
    """Return the folders and the file name that a server's name stands for here. At least one, none of which climbs."""
    parts = [_safe(part) for part in _SEPARATORS.split(unicodedata.normalize("NFC", name))]
    return [part for part in parts if part] or ["image"]


class Placement:
    """Gives each result of a group a path of its own in a folder.

    Args:
        folder: where they go.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._taken: set[str] = set()

    def place(self, name: str) -> Path:
        """Return the path for a file of this name. Two names never get the same one.

        Raises:
            UnsafePathError: a link in the folder leads out of it.
        """
        *folders, last = safe_parts(name)
        stem, dot, extension = last.rpartition(".")
        number = 1
        candidate = "/".join([*folders, last])
        while candidate.casefold() in self._taken:
            number += 1
            numbered = f"{stem} ({number}).{extension}" if dot and stem else f"{last} ({number})"
            candidate = "/".join([*folders, numbered])
        self._taken.add(candidate.casefold())
        path = self.folder / candidate
        if not path.parent.resolve().is_relative_to(self.folder.resolve()):
            raise UnsafePathError(f"{path.parent} leads out of {self.folder}.")
        return path


def _safe(part: str) -> str:
    text = _UNSAFE.sub("_", part).strip(". ")
    if len(text.encode()) > _MAX_BYTES:
        stem, dot, extension = text.rpartition(".")
        if not dot or len(extension) > 10:
            stem, extension, dot = text, "", ""
        kept = stem.encode()[: _MAX_BYTES - len(extension.encode()) - 1].decode(errors="ignore").rstrip(". ")
        text = f"{kept}{dot}{extension}"
    return f"_{text}" if _RESERVED.fullmatch(text.partition(".")[0].rstrip()) else text
