"""A group's results as one ZIP: what is in it, under which names, and its bytes."""

import json
import re
from collections.abc import Iterator
from dataclasses import asdict

from darkroom_contracts.formats import FILE_TYPES, ImageFormat
from darkroom_contracts.keys import result_blob
from darkroom_contracts.states import ImageState
from zipstream import ZipStream  # type: ignore[import-untyped]  # it ships no types

from darkroom_records.blobs import BlobStorage
from darkroom_records.groups import Group, Image

MANIFEST = "manifest.json"

_CHUNK = 256 * 1024
_MAX_STEM = 180
"""Bytes. File systems take 255; the rest is for an extension and a number."""
_NOT_IN_FILE_NAMES = re.compile(r'[\x00-\x1f\x7f<>:"/\\|?*]')
_EXTENSION = re.compile(r"\.[A-Za-z0-9]{1,5}$")
_RESERVED = re.compile(r"(?i)(con|prn|aux|nul|com\d|lpt\d)")  # on Windows, with any extension


def stream(group: Group, storage: BlobStorage) -> ZipStream:
    """The archive of a group that was read with its images: iterate over it for its bytes, of which there are ``len``.

    Nothing is held in memory but the piece at hand. Images are compressed already, so they are stored as they are.

    Raises:
        BlobNotFoundError: while iterating, when a result is gone.
    """
    names = file_names(group)
    archive = ZipStream(sized=True)
    archive.add(_manifest(group, names), MANIFEST)
    for image in group.images:
        if image.index in names:
            blob = result_blob(group.group_id, image.index)
            archive.add(_chunks(storage, blob), names[image.index], size=image.outcome.bytes)
    return archive


def file_names(group: Group) -> dict[int, str]:
    """For each index that has a result, the name of its file: safe, unique in one folder, on every system."""
    taken = {MANIFEST}
    return {
        image.index: _take(taken, _stem(image.name, image.index), _extension(image))
        for image in group.images
        if image.state is ImageState.SUCCEEDED
    }


def _stem(name: str, index: int) -> str:
    last = re.split(r"[/\\]", name)[-1]
    stem = _NOT_IN_FILE_NAMES.sub("_", _EXTENSION.sub("", last)).strip(". ")
    stem = stem.encode(errors="ignore")[:_MAX_STEM].decode(errors="ignore")
    return f"_{stem}" if _RESERVED.fullmatch(stem.partition(".")[0]) else stem or f"image-{index}"


def _extension(image: Image) -> str:
    return FILE_TYPES[ImageFormat(image.outcome.format or "")].extension


def _take(taken: set[str], stem: str, extension: str) -> str:
    name, number = f"{stem}.{extension}", 1
    while name.casefold() in taken:  # some file systems do not tell case
        number += 1
        name = f"{stem} ({number}).{extension}"
    taken.add(name.casefold())
    return name


def _manifest(group: Group, names: dict[int, str]) -> bytes:
    images = [
        {
            "index": image.index,
            "name": image.name,
            "file": names.get(image.index),
            "state": image.state,
            "operations": group.pipeline if image.pipeline is None else image.pipeline,
            **asdict(image.outcome),
        }
        for image in group.images
    ]
    return json.dumps({"group_id": group.group_id, "state": group.state, "images": images}, indent=2).encode()


def _chunks(storage: BlobStorage, key: str) -> Iterator[bytes]:
    with storage.open(key) as blob:
        while chunk := blob.read(_CHUNK):
            yield chunk
