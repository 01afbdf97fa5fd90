"""Recovery and expiry."""

import time

import structlog
from darkroom_contracts.messages import ExpireGroups, ProcessImage, RecoverGroups, SweepUnfinished
from darkroom_contracts.queues import Queue
from darkroom_runtime import heartbeat, logs
from darkroom_runtime.queues import oldest_waiting
from darkroom_runtime.sending import send_all

from darkroom_maintenance import deletion
from darkroom_maintenance.app import app, settings
from darkroom_maintenance.resources import groups, redis, storage

INTAKE_PATIENCE = 30
"""Seconds after which a group that was created and not confirmed counts as interrupted."""

_log = structlog.get_logger(__name__)


@app.task(name=RecoverGroups.name)
def recover_groups() -> None:
    """Send images to the queue again that were lost with a worker or with a message."""
    if not heartbeat.is_steady():  # Redis was away, or this service has just begun: the living need time to say so
        _log.debug("recovery_postponed")
        return
    waiting_since = oldest_waiting(redis(), Queue.IMAGES)
    for lost in groups().take_lost_images(
        oldest_waiting=time.time() if waiting_since is None else waiting_since,
        grace=settings.recovery_grace,
        longest=settings.longest_hold,
    ):
        with logs.bind_request_id(lost.request_id):
            _log.warning("images_recovered", group_id=lost.group_id, indices=lost.indices)
            messages = (ProcessImage(lost.group_id, index) for index in lost.indices)
            send_all(app, messages, published_at=lost.published_at)


@app.task(name=ExpireGroups.name)
def expire_groups() -> None:
    """Delete groups that ended long enough ago, and whatever no record knows of that has lain in storage for a day."""
    deletion.expire(groups(), storage(), ended_before=time.time() - settings.keep_results)


@app.task(name=SweepUnfinished.name)
def sweep_unfinished() -> None:
    """Complete or undo interrupted intakes, deletions and uploads."""
    deletion.sweep(groups(), storage(), patience=INTAKE_PATIENCE)
