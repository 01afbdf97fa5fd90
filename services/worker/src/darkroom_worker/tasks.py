"""The task of the queue ``images``: a thin shell around a plain function."""

from collections.abc import Sequence
from typing import Any

from celery import Task
from celery.exceptions import TimeLimitExceeded
from celery.signals import task_failure, task_revoked
from darkroom_contracts.messages import ProcessImage
from darkroom_records.groups import MAX_ATTEMPTS
from darkroom_runtime.heartbeat import worker_name

from darkroom_worker.app import app, settings
from darkroom_worker.attempts import fail_killed
from darkroom_worker.resources import attempts, groups, send, send_all
from darkroom_worker.storage_waits import STORAGE_FAILURES


# One more try than attempts: the last one finds them used up and fails the image with that reason.
@app.task(name=ProcessImage.name, bind=True, max_retries=MAX_ATTEMPTS, default_retry_delay=5)
def process_image(task: "Task[..., None]", group_id: str, index: int) -> None:
    """Process one image. Runs at least once per message, and works only if the record says so."""
    failures = task.request.get(STORAGE_FAILURES) or 0
    attempts().run(group_id, index, delivery=task.request.retries, storage_failures=failures)


@task_failure.connect(sender=process_image)
def on_failure(exception: BaseException, args: Sequence[Any], **_: Any) -> None:
    """Fail an image whose process was killed for its time limit. Runs in the worker's main process."""
    if isinstance(exception, TimeLimitExceeded):
        group_id, index = args
        limit = settings.image_time_limit
        fail_killed(groups(), send, send_all, group_id, index, worker=worker_name(), time_limit=limit)


@task_revoked.connect(sender=process_image)
def on_revoked(request: Any, terminated: bool, **_: Any) -> None:
    """Record that the process of a cancelled image was stopped, so that nothing more is written for it."""
    if terminated:
        group_id, index = request.args
        groups().confirm_aborted(group_id, index)
