"""Tasks of the queue ``images``."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import structlog
from celery import Task
from celery.exceptions import SoftTimeLimitExceeded, TimeLimitExceeded
from celery.signals import task_failure, task_revoked
from darkroom_contracts.messages import ProcessImage, SendResults
from darkroom_contracts.problems import ProblemCode
from darkroom_imaging.errors import ImageError, UnexpectedError
from darkroom_imaging.limits import Limits
from darkroom_records.blobs import BlobNotFoundError
from darkroom_records.groups import Ending, Work
from darkroom_records.groups.store import MAX_ATTEMPTS
from darkroom_runtime.heartbeat import worker_name
from darkroom_runtime.redis_client import insist
from darkroom_runtime.sending import try_send

from darkroom_worker import processing
from darkroom_worker.app import app, settings
from darkroom_worker.processing import StorageError
from darkroom_worker.resources import groups, storage
from darkroom_worker.storage_waits import STORAGE_FAILURES, next_wait, wait_until_well

Answer = TypeVar("Answer")

_log = structlog.get_logger(__name__)
_LIMITS = Limits(max_bytes=settings.max_image_bytes, max_pixels=settings.max_pixels)
_TOO_LONG = f"Processing took longer than {settings.image_time_limit} seconds; giving up."


# One more try than attempts: the last one finds them used up and fails the image with that reason.
@app.task(name=ProcessImage.name, bind=True, max_retries=MAX_ATTEMPTS, default_retry_delay=5)
def process_image(task: "Task[..., None]", group_id: str, index: int) -> None:
    """Process one image. Runs at least once per message, and works only if the record says so."""
    delivery = task.request.retries
    work = _insist(lambda: groups().begin(group_id, index, worker=worker_name(), delivery=delivery))
    if work is None:
        _log.info("image_skipped", group_id=group_id, index=index)
        return
    try:
        outcome = processing.process_image(work, storage(), _LIMITS)
    except UnexpectedError as error:
        _fail_unexpectedly(work, str(error))
    except ImageError as error:
        _fail(work, str(error), error.code)
    except SoftTimeLimitExceeded:
        _fail(work, _TOO_LONG, ProblemCode.TIME_LIMIT_EXCEEDED)
    except MemoryError:
        _fail(
            work,
            "Processing this image needs more memory than is available. Try a smaller image.",
            ProblemCode.OUT_OF_MEMORY,
        )
    except BlobNotFoundError:
        _fail(work, "The original of this image is missing. Please send it again.", ProblemCode.ORIGINAL_MISSING)
    except StorageError as error:
        _wait_for_storage(work, error, failures=(task.request.get(STORAGE_FAILURES) or 0) + 1)
    except Exception:  # noqa: BLE001  # the last resort: else the image would wait for a worker that is not at work
        _fail_unexpectedly(work, "Processing failed unexpectedly.")
    else:
        _ended(group_id, _insist(lambda: groups().succeed(work, outcome)))


@task_failure.connect(sender=process_image)
def fail_when_killed_for_its_time(exception: BaseException, args: Sequence[Any], **_: Any) -> None:
    """Fail an image whose process was killed for its time limit. Runs in the worker's main process."""
    if isinstance(exception, TimeLimitExceeded):
        group_id, index = args
        _ended(
            group_id,
            groups().give_up(
                group_id, index, worker=worker_name(), error=_TOO_LONG, code=ProblemCode.TIME_LIMIT_EXCEEDED
            ),
        )


@task_revoked.connect(sender=process_image)
def on_revoked(request: Any, terminated: bool, **_: Any) -> None:
    """Record that the process of a cancelled image was stopped, so that nothing more is written for it."""
    if terminated:
        group_id, index = request.args
        groups().confirm_aborted(group_id, index)


def _fail_unexpectedly(work: Work, reason: str) -> None:
    """Fail an image for an unexpected error, which is logged in full."""
    _log.exception("image_failed_unexpectedly", group_id=work.group_id, index=work.index)
    _fail(work, reason, ProblemCode.INTERNAL_ERROR)


def _fail(work: Work, reason: str, code: ProblemCode) -> None:
    _log.info("image_failed", group_id=work.group_id, index=work.index, code=code, reason=reason)
    _ended(work.group_id, _insist(lambda: groups().fail(work, reason, code)))


def _ended(group_id: str, ending: Ending) -> None:
    if ending is Ending.GROUP_ENDED_NOTIFY:
        try_send(app, SendResults(group_id))  # the group store has noted it, too


def _wait_for_storage(work: Work, error: StorageError, failures: int) -> None:
    """Release an image that storage has failed, and send it to the queue again later.

    Where the storage fails altogether, this process waits for it: the next image would fare no better.
    """
    wait = next_wait(storage(), error.__cause__, failures)
    _log.warning("storage_failed", group_id=work.group_id, index=work.index, failures=failures, reason=str(error))
    if wait is None:
        _fail(
            work,
            "The image storage was unavailable. Please retry.",
            ProblemCode.STORAGE_UNAVAILABLE,
        )
        return
    if not _insist(lambda: groups().release(work, seconds=wait.seconds)):
        return
    if wait.concerns_all:
        wait_until_well(storage(), at_least=wait.seconds)
    countdown = 0 if wait.concerns_all else wait.seconds
    message = ProcessImage(work.group_id, work.index)
    try_send(app, message, countdown=countdown, headers={STORAGE_FAILURES: failures})


def _insist(call: Callable[[], Answer]) -> Answer:
    """What the group store answers, waited for while Redis is full or read-only."""
    return insist(call, seconds=settings.image_time_limit)
