"""The tasks of the queue ``maintenance``: thin shells around plain functions."""

from functools import partial

import structlog
from celery import Task
from darkroom_contracts import messages
from darkroom_contracts.queues import Queue
from darkroom_runtime import heartbeat
from darkroom_runtime.queues import oldest_waiting
from darkroom_runtime.sending import send_all, stop_tasks, try_send, try_send_all

from darkroom_maintenance import counting, deadlines, deletion, recovery
from darkroom_maintenance.app import app, settings
from darkroom_maintenance.resources import groups, redis, storage, task_store, uploads

INTAKE_PATIENCE = 30
"""Seconds after which a group that was created and not confirmed counts as interrupted."""

_log = structlog.get_logger(__name__)


@app.task(name=messages.RecoverGroups.name)
def recover_groups() -> None:
    """End groups whose deadline has passed, and send images to the queue again that were lost."""
    deadlines.end_overdue(groups(), partial(stop_tasks, app), partial(try_send, app), partial(try_send_all, app))
    if not heartbeat.is_steady():  # Redis was away, or this service has just begun: the living need time to say so
        _log.debug("recovery_postponed")
        return
    recovery.recover(
        groups(),
        partial(send_all, app),
        waiting_since=oldest_waiting(redis(), Queue.IMAGES),
        fetch_waiting_since=oldest_waiting(redis(), Queue.OUTBOUND),
        grace=settings.recovery_grace,
        max_hold=max(settings.max_hold, settings.max_fetch),
    )


@app.task(name=messages.ExpireGroups.name)
def expire_groups() -> None:
    """Delete groups that ended long enough ago, and whatever no record knows of that has lain in storage for a day."""
    deletion.expire(groups(), storage(), keep_for=settings.keep_results)
    deletion.delete_unknown_uploads(uploads(), storage())


@app.task(name=messages.SweepUnfinished.name)
def sweep_unfinished() -> None:
    """Complete or undo interrupted intakes, deletions and uploads, and drop images uploaded ahead and not used."""
    deletion.sweep(groups(), storage(), partial(try_send_all, app), patience=INTAKE_PATIENCE)
    deletion.drop_uploads(uploads(), storage())


@app.task(name=messages.Add.name, bind=True)
def add(task: "Task[..., None]", x: int, y: int) -> None:
    """Add two integers: the smallest round trip through the queue."""
    task_store().succeed(str(task.request.id), x + y, done=1)


@app.task(name=messages.Count.name, bind=True)
def count(task: "Task[..., None]", total: int) -> None:
    """Count up to a total, ten a second, so that there is a task to watch and to cancel."""
    counting.count(task_store(), str(task.request.id), total)
