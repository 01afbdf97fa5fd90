"""Process one image of a group, from its original in storage to its results. Independent of Celery."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress

from darkroom_imaging.engine import Result, process_outputs
from darkroom_imaging.limits import Limits
from darkroom_imaging.operations import Pipeline, overlay_ids, read_outputs, read_pipeline
from darkroom_records.blobs import BlobNotFoundError, BlobStorage, original_blob, overlay_blob, result_blob
from darkroom_records.groups import Outcome, ResultFacts, Work

from darkroom_worker.times import Times

_ONE_UNNAMED: Mapping[str, Pipeline] = {"": ()}


class StorageError(Exception):
    """Storage is unavailable, which is not the image's fault. Its cause is the ``OSError``."""


def process_image(work: Work, storage: BlobStorage, limits: Limits, times: Times) -> Outcome:
    """Run the image's pipelines and store the result of each output, all or none of which count.

    Args:
        work: the image, and what is to be done.
        storage: where its original is.
        limits: how large it may be.
        times: is told how long each step takes.

    Returns:
        The facts of the results, all of which are in storage by then.

    Raises:
        ImageError: the image, or one of its outputs, cannot be processed; the message is for its owner.
        BlobNotFoundError: its original is missing.
        StorageError: the original cannot be read or a result not stored, for now.
    """
    pipeline = read_pipeline(work.pipeline)
    outputs = read_outputs(work.outputs) if work.outputs else _ONE_UNNAMED
    with times.step("read"), _storage_at_work():
        source = _read(storage, original_blob(work.group_id, work.index))
        overlays = dict(_overlays(storage, work.group_id, [pipeline, *outputs.values()]))
    with times.step("process"):
        results = process_outputs(source, pipeline, outputs, limits=limits, overlays=overlays, metadata=work.metadata)
    with times.step("store"), _storage_at_work():
        for output, result in results.items():  # in place of what an earlier attempt may have left
            storage.put(result_blob(work.group_id, work.index, output), result.data)
    facts = {output: _facts(result) for output, result in results.items()}
    return Outcome.of(facts, **times.until_now())


def _overlays(storage: BlobStorage, group_id: str, pipelines: Iterable[Pipeline]) -> Iterator[tuple[str, bytes]]:
    """Yield each image that a watermark needs. The engine explains those that are missing."""
    for image_id in {image_id for pipeline in pipelines for image_id in overlay_ids(pipeline)}:
        with suppress(BlobNotFoundError):
            yield image_id, _read(storage, overlay_blob(group_id, image_id))


def _read(storage: BlobStorage, key: str) -> bytes:
    with storage.open(key) as blob:
        return blob.read()


def _facts(result: Result) -> ResultFacts:
    digest = hashlib.sha256(result.data).hexdigest()
    return ResultFacts(result.format, result.width, result.height, len(result.data), digest)


@contextmanager
def _storage_at_work() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StorageError(str(error)) from error
