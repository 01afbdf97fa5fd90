"""The manifest of an archive, by which its results can be made again."""

import json
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from darkroom.file_paths import safe_parts

_MANIFEST = "manifest.json"


class ManifestError(ValueError):
    """It is no manifest, or cannot be read; the message is a sentence."""


@dataclass(frozen=True, slots=True)
class Entry:
    """An image of which there are results."""

    index: int
    name: str
    operations: Sequence[Mapping[str, Any]]
    sha256: Mapping[str, str]
    """Of its results, by their outputs."""

    def find_original(self, folder: Path) -> Path | None:
        """Return its original in a folder: with the folders it came with, or without."""
        parts = safe_parts(self.name)
        places = (folder.joinpath(*parts), folder / parts[-1])
        return next((place for place in places if place.is_file()), None)


@dataclass(frozen=True, slots=True)
class Manifest:
    """What was done to the images of a group."""

    group_id: str
    outputs: Mapping[str, Sequence[Mapping[str, Any]]]
    metadata: str | None
    entries: Sequence[Entry]


def read_manifest(path: Path) -> Manifest:
    """Read a manifest, or that in an archive.

    Raises:
        ManifestError: it is none.
        OSError: it cannot be read.
    """
    try:
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                body = json.loads(archive.read(_MANIFEST))
        else:
            body = json.loads(path.read_bytes())
        return Manifest(
            body["group_id"],
            body.get("outputs") or {},
            body.get("metadata"),
            [_entry(image) for image in body["images"] if image["state"] == "succeeded"],
        )
    except (ValueError, KeyError, TypeError, zipfile.BadZipFile):
        raise ManifestError(f"{path} is not the manifest of an archive, nor an archive with one.") from None


def _entry(image: Mapping[str, Any]) -> Entry:
    made = {name: facts["sha256"] for name, facts in (image.get("outputs") or {}).items()}
    if not made:
        made = {"": image["sha256"]}
    return Entry(image["index"], image["name"], image["operations"], made)
