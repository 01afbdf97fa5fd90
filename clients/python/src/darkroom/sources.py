"""The images on this machine that a command names."""

import glob
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

EXTENSIONS = frozenset(
    {".jpg", ".jpeg", ".jfif", ".png", ".webp", ".avif", ".gif", ".tif", ".tiff", ".bmp", ".heic", ".heif"}
)
"""What is taken for an image in a folder. A file that is named itself is sent whatever it is called."""


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file to send, and the name it is sent under, with its folders."""

    path: Path
    name: str


class NoSuchSourceError(ValueError):
    """What was named is not there; the message is a sentence."""


def find_sources(paths: Iterable[str], *, recursive: bool, besides: Iterable[Path] = ()) -> list[SourceFile]:
    """Return the images that these paths name: files as they are, those of a folder by their extensions.

    Args:
        paths: files, folders, and patterns that no shell has expanded.
        recursive: whether folders within folders are searched, too.
        besides: folders to leave out.

    Raises:
        NoSuchSourceError: one of them is not there.
    """
    left_out = {folder.resolve() for folder in besides}
    found: dict[Path, SourceFile] = {}
    for text in paths:
        for path in _expanded(text):
            if path.is_dir():
                for source in images_in(path, recursive=recursive, besides=left_out):
                    found.setdefault(source.path.resolve(), source)
            elif path.is_file():
                found.setdefault(path.resolve(), SourceFile(path, path.name))
            else:
                raise NoSuchSourceError(f"There is no file or folder {text}.")
    return list(found.values())


def images_in(folder: Path, *, recursive: bool, besides: Iterable[Path] = ()) -> Iterator[SourceFile]:
    """Yield the images in a folder, in the order of their names, called by their paths in it. None that is hidden."""
    left_out = set(besides)
    for place, folders, files in os.walk(folder):
        here = Path(place)
        folders[:] = sorted(
            name
            for name in folders
            if recursive and not name.startswith(".") and (here / name).resolve() not in left_out
        )
        for name in sorted(files):
            path = here / name
            if not name.startswith(".") and path.suffix.lower() in EXTENSIONS:
                yield SourceFile(path, path.relative_to(folder).as_posix())


def _expanded(text: str) -> list[Path]:
    if not Path(text).exists() and glob.has_magic(text):
        return [Path(name) for name in sorted(glob.glob(text))] or [Path(text)]  # noqa: PTH207  # an absolute pattern, too
    return [Path(text)]
