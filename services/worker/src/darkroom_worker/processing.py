"""Process one image of a group, from its original in storage to its result. Independent of Celery."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager

from darkroom_imaging.engine import process
from darkroom_imaging.limits import Limits
from darkroom_imaging.operations import read_pipeline
from darkroom_records.blobs import BlobStorage, original_blob, result_blob
from darkroom_records.groups import Outcome, Work


class StorageError(Exception):
    """Storage is unavailable, which is not the image's fault. Its cause is the ``OSError``."""


def process_image(work: Work, storage: BlobStorage, limits: Limits) -> Outcome:
    """Run the image's pipeline and store the result.

    Returns:
        The facts of the result.

    Raises:
        ImageError: the image cannot be processed; the message is for its owner.
        BlobNotFoundError: its original is missing.
        StorageError: the original cannot be read or the result not stored, for now.
    """
    with _storage_at_work(), storage.open(original_blob(work.group_id, work.index)) as original:
        source = original.read()
    result = process(source, read_pipeline(work.pipeline), limits=limits)
    with _storage_at_work():
        storage.put(result_blob(work.group_id, work.index), result.data)
    return Outcome(
        format=result.format,
        width=result.width,
        height=result.height,
        bytes=len(result.data),
        sha256=hashlib.sha256(result.data).hexdigest(),
    )


@contextmanager
def _storage_at_work() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StorageError(str(error)) from error
