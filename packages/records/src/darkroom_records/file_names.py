"""The names of files: as people gave them, and as results are called wherever they are handed out.

A name may have folders, as those of whole directories that browsers upload: they are kept where they are harmless.
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence

from darkroom_contracts.formats import EXTENSIONS, FILE_TYPES, ImageFormat

MANIFEST = "manifest.json"

MAX_NAME = 200
"""Characters of a name or a folder, as it is kept for people."""
_MAX_BYTES = 180
"""Of a part of a path. File systems take 255; the rest is for a number and an extension."""
_MAX_PATH = 220
"""Characters of a path. Windows takes 260, with the folder that an archive is unpacked in."""

_SEPARATORS = re.compile(r"[/\\]")
_DRIVE = re.compile(r"[A-Za-z]:")
_INVISIBLE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u00ad\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufdd0-\ufdef\ufeff\ufff0-\uffff\ud800-\udfff]"
)
"""Control characters, also those that turn the direction of text, separators of lines, and halves of surrogate pairs.
Joiners (U+200C, U+200D) and tags stay: scripts and emoji are written with them."""
_JOINERS = "\u200c\u200d"
_UNSAFE = re.compile(r'[<>:"|?*]')
_RESERVED = re.compile(r"(?i)(con|prn|aux|nul|conin\$|conout\$|clock\$|com[0-9¹²³]|lpt[0-9¹²³])")
"""Devices on Windows, with any extension."""


def clean(name: str | None, index: int) -> str:
    """The name for people: printable, with the folders it came with if they are harmless. Never empty.

    A path that begins at a root or on a drive, or climbs up, keeps its last part alone.
    """
    text = unicodedata.normalize("NFC", name or "")
    parts = _SEPARATORS.split(text)
    if not parts[0] or _DRIVE.match(text) or ".." in (part.strip() for part in parts):
        parts = parts[-1:]
    kept = [part for part in map(_printable, parts[:-1]) if part]
    return "/".join([*kept, _printable(parts[-1]) or f"image-{index}"])


def safe_stem(name: str, index: int) -> str:
    """The path of a result without its extension: safe on every system, also for names that nobody cleaned."""
    *folders, last = clean(name, index).split("/")
    path = [*map(_safe, folders), _safe(_without_extension(last)) or f"image-{index}"]
    path = [part for part in path if part]
    if path[0].casefold() == MANIFEST and len(path) > 1:
        path[0] = f"_{path[0]}"
    return "/".join(path) if len("/".join(path)) <= _MAX_PATH else path[-1]


def unique(stems: Sequence[str]) -> list[str]:
    """The stems, numbered where files would otherwise overwrite each other on a system that does not tell case."""
    stems = _one_spelling(stems)
    folders = {_key(folder) for stem in stems for folder in _folders(stem)}
    taken: set[str] = set()
    numbers: dict[str, int] = {}
    result = []
    for stem in stems:
        candidate, key = stem, _key(stem)
        number = numbers.get(key, 1)
        while _key(candidate) in taken or any(f"{_key(candidate)}.{ending}" in folders for ending in _ENDINGS):
            number += 1
            candidate = f"{stem} ({number})"
        numbers[key] = number
        taken.add(_key(candidate))
        result.append(candidate)
    return result


def with_extension(stem: str, image_format: str) -> str:
    """The path of a result of this format."""
    return f"{stem}.{FILE_TYPES[ImageFormat(image_format)].extension}"


def in_folder(output: str, path: str) -> str:
    """The path of a result in the folder of its output; one without a name has none."""
    return f"{_safe(output)}/{path}" if output else path


def last_part(path: str) -> str:
    """The name of a file without its folders."""
    return path.rpartition("/")[2]


_ENDINGS = tuple(kind.extension for kind in FILE_TYPES.values())


def _printable(part: str) -> str:
    text = _INVISIBLE.sub("", part).strip(f". \u00a0{_JOINERS}")
    if len(text) <= MAX_NAME:
        return text
    stem = _without_extension(text)
    extension = text[len(stem) :]
    return stem[: MAX_NAME - len(extension)].rstrip(f". {_JOINERS}") + extension


def _safe(part: str) -> str:
    text = _UNSAFE.sub("_", part).encode()[:_MAX_BYTES].decode(errors="ignore").strip(f". {_JOINERS}")
    return f"_{text}" if _RESERVED.fullmatch(text.partition(".")[0].rstrip()) else text


def _without_extension(name: str) -> str:
    stem, dot, extension = name.rpartition(".")
    return stem if dot and stem.strip(". ") and extension.lower() in EXTENSIONS else name


def _one_spelling(stems: Sequence[str]) -> list[str]:
    """The stems with each folder spelled as it first was: `Sea` and `sea` are one folder on many systems."""
    spelled: dict[str, str] = {}
    result = []
    for stem in stems:
        path = ""
        *folders, last = stem.split("/")
        for folder in folders:
            path = spelled.setdefault(_key(f"{path}{folder}"), f"{path}{folder}") + "/"
        result.append(path + last)
    return result


def _folders(stem: str) -> Iterable[str]:
    parts = stem.split("/")[:-1]
    return ("/".join(parts[: depth + 1]) for depth in range(len(parts)))


def _key(path: str) -> str:
    return unicodedata.normalize("NFC", path.casefold())
