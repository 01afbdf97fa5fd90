"""Tasks of the queue ``images``."""

from collections.abc import Sequence
from typing import Any

import structlog
from celery import Task
from celery.exceptions import SoftTimeLimitExceeded, TimeLimitExceeded
from celery.signals import task_failure, task_revoked
from darkroom_contracts import queues
from darkroom_contracts.problems import ProblemCode
from darkroom_imaging.errors import ImageError
from darkroom_imaging.limits import Limits
from darkroom_records.blobs import BlobNotFoundError
from darkroom_records.groups import Ending, Work
from darkroom_records.groups.store import MAX_ATTEMPTS
from darkroom_records.outbox import announce
from darkroom_runtime.heartbeat import worker_name

from darkroom_worker.app import app, settings
from darkroom_worker.development import develop
from darkroom_worker.resources import groups, storage

_log = structlog.get_logger(__name__)
_LIMITS = Limits(max_bytes=settings.max_image_bytes, max_pixels=settings.max_pixels)
_TOO_LONG = f"Working on this image took longer than {settings.image_time_limit} seconds, so it was given up."


# One more try than attempts: the last one finds them used up and fails the image with that reason.
@app.task(name=queues.Task.PROCESS_IMAGE, bind=True, max_retries=MAX_ATTEMPTS, default_retry_delay=5)
def process_image(task: "Task[..., None]", group_id: str, index: int) -> None:
    """Work on one image. Runs at least once for each message, and does its work only where the record asks for it."""
    work = groups().begin(group_id, index, worker=worker_name(), delivery=task.request.retries)
    if work is None:
        _log.info("nothing_to_do", group_id=group_id, index=index)
        return
    try:
        _ended(group_id, groups().succeed(work, develop(work, storage(), _LIMITS)))
    except ImageError as error:
        _fail(work, str(error), error.code)
    except SoftTimeLimitExceeded:
        _fail(work, _TOO_LONG, ProblemCode.TIME_LIMIT_EXCEEDED)
    except MemoryError:
        _fail(
            work,
            "Working on this image takes more memory than there is. A smaller image may do.",
            ProblemCode.OUT_OF_MEMORY,
        )
    except BlobNotFoundError:
        _fail(work, "The original of this image is gone. Send it again.", ProblemCode.ORIGINAL_MISSING)
    except OSError as error:
        _try_again_later(task, work, error)


@task_failure.connect(sender=process_image)
def fail_when_killed_for_its_time(exception: BaseException, args: Sequence[Any], **_: Any) -> None:
    """Fail an image whose process had to be killed. The worker's main process hears of it, since the other is gone."""
    if isinstance(exception, TimeLimitExceeded):
        group_id, index = args
        _ended(
            group_id,
            groups().give_up(
                group_id, index, worker=worker_name(), error=_TOO_LONG, code=ProblemCode.TIME_LIMIT_EXCEEDED
            ),
        )


@task_revoked.connect(sender=process_image)
def let_go_when_cancelled(request: Any, terminated: bool, **_: Any) -> None:
    """Note that the process of a cancelled image has been stopped, so that nothing more is written for it."""
    if terminated:
        group_id, index = request.args
        groups().stopped(group_id, index)


def _fail(work: Work, reason: str, code: ProblemCode) -> None:
    _log.info("image_failed", group_id=work.group_id, index=work.index, code=code, reason=reason)
    _ended(work.group_id, groups().fail(work, reason, code))


def _ended(group_id: str, ending: Ending) -> None:
    if ending is Ending.TO_ANNOUNCE:
        announce(app, group_id)


def _try_again_later(task: "Task[..., None]", work: Work, error: OSError) -> None:
    _log.warning("storage_failed", group_id=work.group_id, index=work.index, reason=str(error))
    if work.attempt == MAX_ATTEMPTS:
        _fail(
            work,
            "The storage did not answer, so the image could not be worked on. Try again later.",
            ProblemCode.STORAGE_UNAVAILABLE,
        )
    else:
        groups().release(work)
        raise task.retry()
