"""Attempts at images, from the message that asks for one to what the record says. Independent of Celery."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Protocol, TypeVar

import structlog
from darkroom_contracts.messages import Message, ProcessImage
from darkroom_contracts.problems import ProblemCode
from darkroom_imaging.errors import ImageError, UnexpectedError
from darkroom_records.blobs import BlobNotFoundError, BlobStorage, group_blobs
from darkroom_records.groups import Ended, GroupStore, Outcome, SendDated, Work
from darkroom_runtime.redis_client import insist

from darkroom_worker.deadline import DeadlineError
from darkroom_worker.memory_budget import BusyError
from darkroom_worker.processing import Processor, StorageError
from darkroom_worker.storage_waits import STORAGE_FAILURES, next_wait, wait_until_well
from darkroom_worker.times import Times

Answer = TypeVar("Answer")

_NONE: Mapping[str, Any] = MappingProxyType({})
_log = structlog.get_logger(__name__)


class Sender(Protocol):
    """Sends a message. One that is lost is sent again by whoever looks through the records."""

    def __call__(self, message: Message, *, countdown: float = 0, headers: Mapping[str, Any] = _NONE) -> None: ...


@dataclass(frozen=True, slots=True)
class Attempts:
    """Process images, and record what became of each, whatever happens.

    Args:
        groups: the records.
        storage: where originals and results are.
        processor: works on images.
        send: sends messages.
        send_all: sends the messages of images whose turn it is.
        worker: the name under which this worker keeps its heartbeat.
        time_limit: seconds that an image may take.
    """

    groups: GroupStore
    storage: BlobStorage
    processor: Processor
    send: Sender
    send_all: SendDated
    worker: str
    time_limit: int

    def run(self, group_id: str, index: int, *, delivery: int, storage_failures: int) -> None:
        """Process an image, if the record says so.

        Args:
            group_id: the group.
            index: the image.
            delivery: how often its message was delivered before.
            storage_failures: how often in a row the storage has failed it.
        """
        work = self._insist(lambda: self.groups.begin(group_id, index, worker=self.worker, delivery=delivery))
        if work is None:
            _log.info("image_skipped", group_id=group_id, index=index)
            return
        times = Times()
        try:
            outcome = self.processor.process(work, times)
        except UnexpectedError as error:
            self._fail_unexpectedly(work, times, str(error))
        except ImageError as error:
            self._fail(work, times, str(error), error.code)
        except (DeadlineError, MemoryError, BlobNotFoundError) as error:
            self._fail(work, times, *self._reason(error))
        except BusyError:
            self._wait_for_memory(work, storage_failures)
        except StorageError as error:
            self._wait_for_storage(work, times, error, storage_failures + 1)
        except Exception:  # noqa: BLE001  # the last resort: else the image would wait for a worker that is not at work
            self._fail_unexpectedly(work, times, "Processing failed unexpectedly.")
        else:
            self._succeeded(work, outcome)

    def _reason(self, error: Exception) -> tuple[str, ProblemCode]:
        match error:
            case DeadlineError():
                return _too_long(self.time_limit), ProblemCode.TIME_LIMIT_EXCEEDED
            case MemoryError():
                reason = "Processing this image needs more memory than is available. Try a smaller image."
                return reason, ProblemCode.OUT_OF_MEMORY
            case _:
                return "The original of this image is missing. Please send it again.", ProblemCode.ORIGINAL_MISSING

    def _succeeded(self, work: Work, outcome: Outcome) -> None:
        ended = self._insist(lambda: self.groups.succeed(work, outcome))
        if not ended and not self.groups.exists(work.group_id):
            self.storage.delete_all(group_blobs(work.group_id))  # it was erased meanwhile, so nothing may be left
        self._ended(work, ended)

    def _fail_unexpectedly(self, work: Work, times: Times, reason: str) -> None:
        """Fail an image for an unexpected error, which is logged in full."""
        _log.exception("image_failed_unexpectedly", group_id=work.group_id, index=work.index)
        self._fail(work, times, reason, ProblemCode.INTERNAL_ERROR)

    def _fail(self, work: Work, times: Times, reason: str, code: ProblemCode) -> None:
        _log.info("image_failed", group_id=work.group_id, index=work.index, code=code, reason=reason)
        self._ended(work, self._insist(lambda: self.groups.fail(work, reason, code, **times.until_now())))

    def _ended(self, work: Work, ended: Ended) -> None:
        ended.announce(work.group_id, work.index, self.send, self.send_all)

    def _wait_for_storage(self, work: Work, times: Times, error: StorageError, failures: int) -> None:
        """Release an image that storage has failed, and send it to the queue again later.

        Where the storage fails altogether, this process waits for it: the next image would fare no better.
        """
        wait = next_wait(self.storage, error.__cause__, failures)
        _log.warning("storage_failed", group_id=work.group_id, index=work.index, failures=failures, reason=str(error))
        if wait is None:
            self._fail(work, times, "The image storage was unavailable. Please retry.", ProblemCode.STORAGE_UNAVAILABLE)
            return
        if not self._insist(lambda: self.groups.release(work, seconds=wait.seconds)):
            return
        if wait.concerns_all:
            wait_until_well(self.storage, at_least=wait.seconds)
        self._send_again(work, failures, countdown=0 if wait.concerns_all else wait.seconds)

    def _wait_for_memory(self, work: Work, storage_failures: int) -> None:
        """Release an image that has waited for memory for long enough: another worker may have some."""
        _log.info("image_postponed", group_id=work.group_id, index=work.index, reason="Not enough memory is free.")
        if self._insist(lambda: self.groups.release(work, seconds=0)):
            self._send_again(work, storage_failures)

    def _send_again(self, work: Work, storage_failures: int, countdown: float = 0) -> None:
        headers = {STORAGE_FAILURES: storage_failures}
        self.send(ProcessImage(work.group_id, work.index), countdown=countdown, headers=headers)

    def _insist(self, call: Callable[[], Answer]) -> Answer:
        """Call the group store, again and again while Redis is full or read-only."""
        return insist(call, seconds=self.time_limit)


def fail_killed(
    groups: GroupStore,
    send: Sender,
    send_all: SendDated,
    group_id: str,
    index: int,
    *,
    worker: str,
    time_limit: int,
) -> None:
    """Fail an image whose process was killed for its time limit. Needs no storage.

    Args:
        groups: the records.
        send: sends messages.
        send_all: sends the messages of images whose turn it is.
        group_id: the group.
        index: the image.
        worker: the name of this worker. An image that another one has begun meanwhile is left alone.
        time_limit: the seconds that the image could take.
    """
    code = ProblemCode.TIME_LIMIT_EXCEEDED
    ended = groups.give_up(group_id, index, worker=worker, error=_too_long(time_limit), code=code)
    ended.announce(group_id, index, send, send_all)


def _too_long(seconds: int) -> str:
    return f"Processing took longer than {seconds} seconds; giving up."
