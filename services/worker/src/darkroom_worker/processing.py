"""Process one image of a group, from its original in storage to its results. Independent of Celery."""

import hashlib
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass

from darkroom_imaging.engine import Result, process_outputs
from darkroom_imaging.limits import Limits
from darkroom_imaging.memory import needed_bytes
from darkroom_imaging.operations import Pipeline, overlay_ids, read_outputs, read_pipeline
from darkroom_imaging.versions import engine_versions
from darkroom_records.blobs import BlobNotFoundError, BlobStorage, original_blob, overlay_blob, result_blob
from darkroom_records.groups import Outcome, ResultFacts, Work
from darkroom_runtime import allocator

from darkroom_worker.deadline import deadline
from darkroom_worker.memory_budget import MemoryBudget
from darkroom_worker.times import Times

_NOTED_WAIT = 0.01
"""Seconds below which waiting for memory is not worth a note in the record."""
_LARGE = 100_000_000
"""Bytes of an image after which its process keeps nothing."""
_ONE_UNNAMED: Mapping[str, Pipeline] = {"": ()}
_ENGINE = " ".join(f"{name}={number}" for name, number in engine_versions().items())


class StorageError(Exception):
    """Storage is unavailable, which is not the image's fault. Its cause is the ``OSError``."""


@dataclass(frozen=True, slots=True)
class Processor:
    """Works on images, as many at a time as there is memory for.

    Args:
        storage: where originals and results are.
        limits: how large an image may be.
        memory: what all processes of this worker share.
        max_need: the bytes that an image can be given at most, the others doing nothing.
        max_wait: seconds an image may wait for memory.
        time_limit: seconds it may take; those it waits for memory do not count.
    """

    storage: BlobStorage
    limits: Limits
    memory: MemoryBudget
    max_need: int
    max_wait: float
    time_limit: float

    def process(self, work: Work, times: Times) -> Outcome:
        """Run the image's pipelines and store the result of each output, all or none of which count.

        Args:
            work: the image, and what is to be done.
            times: is told how long each step takes.

        Returns:
            The facts of the results, all of which are in storage by then.

        Raises:
            ImageError: the image, or one of its outputs, cannot be processed; the message is for its owner.
            BlobNotFoundError: its original is missing.
            StorageError: the original cannot be read or a result not stored, for now.
            BusyError: other images take all the memory.
            DeadlineError: it takes too long.
            MemoryError: it needs more memory than this worker has.
        """
        pipeline = read_pipeline(work.pipeline)
        outputs = read_outputs(work.outputs) if work.outputs else _ONE_UNNAMED
        began = time.monotonic()
        with deadline(self.time_limit), times.step("read"), _storage_at_work():
            source = _read(self.storage, original_blob(work.group_id, work.index))
            overlays = dict(_overlays(self.storage, work.group_id, [pipeline, *outputs.values()]))
        left = self.time_limit - (time.monotonic() - began)
        need = needed_bytes(source, pipeline, outputs, limits=self.limits)
        if need > self.max_need:
            raise MemoryError(f"{need:,} bytes")
        with ExitStack() as held:
            asked_at = time.monotonic()
            held.enter_context(self.memory.hold(need, seconds=self.max_wait))
            if need > _LARGE:
                held.callback(allocator.trim)  # before others may have it: a large image leaves gaps
            times.add("wait", time.monotonic() - asked_at, at_least=_NOTED_WAIT)
            held.enter_context(deadline(max(left, 0.001)))
            with times.step("process"):
                results = process_outputs(
                    source, pipeline, outputs, limits=self.limits, overlays=overlays, metadata=work.metadata
                )
            with times.step("store"), _storage_at_work():
                for output, result in results.items():  # in place of what an earlier attempt may have left
                    self.storage.put(result_blob(work.group_id, work.index, output), result.data)
            facts = {output: _facts(result) for output, result in results.items()}
            return Outcome.of(
                facts,
                original=_sha256(source),
                overlays={image_id: _sha256(data) for image_id, data in overlays.items()},
                engine=_ENGINE,
                **times.until_now(),
            )


def _overlays(storage: BlobStorage, group_id: str, pipelines: Iterable[Pipeline]) -> Iterator[tuple[str, bytes]]:
    """Yield each image that a watermark needs. The engine explains those that are missing."""
    for image_id in {image_id for pipeline in pipelines for image_id in overlay_ids(pipeline)}:
        with suppress(BlobNotFoundError):
            yield image_id, _read(storage, overlay_blob(group_id, image_id))


def _read(storage: BlobStorage, key: str) -> bytes:
    with storage.open(key) as blob:
        return blob.read()


def _facts(result: Result) -> ResultFacts:
    return ResultFacts(result.format, result.width, result.height, len(result.data), _sha256(result.data))


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@contextmanager
def _storage_at_work() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StorageError(str(error)) from error
