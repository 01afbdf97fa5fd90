"""A group's results as one ZIP: what is in it, under which names, and its bytes."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, replace
from typing import Any

from zipstream import ZipStream  # type: ignore[import-untyped]  # it ships no types

from darkroom_records.blobs import BlobStorage, result_blob
from darkroom_records.file_names import MANIFEST, unique
from darkroom_records.groups import Group, Image

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
        for output, name in names[image.index].items():
            blob = result_blob(group.group_id, image.index, output)
            archive.add(_chunks(storage, blob), name, size=image.outcome.results[output].bytes)
    return archive


def file_names(group: Group) -> dict[int, Mapping[str, str]]:
    """For each index, the paths of its results by their outputs: safe and unique on every system."""
    # Groups that version 0.1.0 took in have stems that are not unique yet; unique ones stay as they are.
    stems = unique([image.stem for image in group.images])
    return {image.index: replace(image, stem=stem).files for image, stem in zip(group.images, stems, strict=True)}


def _manifest(group: Group, names: Mapping[int, Mapping[str, str]]) -> bytes:
    images = [_entry(group, image, names[image.index]) for image in group.images]
    facts: dict[str, Any] = {"group_id": group.group_id, "state": group.state}
    if group.outputs:
        facts["outputs"] = group.outputs
    facts["metadata"] = group.metadata
    return json.dumps({**facts, "images": images}, indent=2).encode()


def _entry(group: Group, image: Image, files: Mapping[str, str]) -> dict[str, Any]:
    made = image.outcome
    entry = {
        "index": image.index,
        "name": image.name,
        "file": files.get(""),
        "state": image.state,
        "operations": group.pipeline if image.pipeline is None else image.pipeline,
        "error": made.error,
        "format": made.format,
        "width": made.width,
        "height": made.height,
        "bytes": made.bytes,
        "sha256": made.sha256,
        "code": made.code,
    }
    if made.original:
        entry["original"] = {"sha256": made.original}
    if made.overlays:
        entry["overlays"] = {image_id: {"sha256": digest} for image_id, digest in made.overlays.items()}
    if made.engine:
        entry["engine"] = made.engine_versions
    if group.outputs:
        entry["outputs"] = {name: {"file": files[name], **asdict(facts)} for name, facts in made.outputs.items()}
    return entry


def _chunks(storage: BlobStorage, key: str) -> Iterator[bytes]:
    with storage.open(key) as blob:
        while chunk := blob.read(_CHUNK):
            yield chunk
