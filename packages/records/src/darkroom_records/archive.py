"""A group's results as one ZIP: what is in it, under which names, and its bytes."""

import json
from collections.abc import Iterator
from dataclasses import asdict

from darkroom_contracts.states import ImageState
from zipstream import ZipStream  # type: ignore[import-untyped]  # it ships no types

from darkroom_records.blobs import BlobStorage, result_blob
from darkroom_records.file_names import MANIFEST, unique, with_extension
from darkroom_records.groups import Group

_CHUNK = 256 * 1024


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
    """For each index that has a result, the path of its file: safe and unique on every system."""
    # Groups that version 0.1.0 took in have stems that are not unique yet; unique ones stay as they are.
    stems = unique([image.stem for image in group.images])
    return {
        image.index: with_extension(stem, image.outcome.format or "")
        for image, stem in zip(group.images, stems, strict=True)
        if image.state is ImageState.SUCCEEDED
    }


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
