"""Recovery and expiry."""

import time

import structlog
from darkroom_contracts.messages import ExpireGroups, ProcessImage, RecoverGroups
from darkroom_contracts.queues import Queue
from darkroom_records.blobs import group_blobs
from darkroom_runtime import heartbeat, logs
from darkroom_runtime.queues import oldest_waiting
from darkroom_runtime.sending import send_all

from darkroom_maintenance.app import app, settings
from darkroom_maintenance.resources import groups, redis, storage

ABANDONED = 24 * 3600
"""Seconds after which an upload that was begun and not finished is given up: no request takes as long."""

_log = structlog.get_logger(__name__)


@app.task(name=RecoverGroups.name)
def recover_groups() -> None:
    """Send every image to the queue again that was lost with a worker or with a message."""
    if not heartbeat.is_steady():  # Redis was away, or this service has just begun: the living need time to say so
        _log.info("recovery_postponed")
        return
    waiting_since = oldest_waiting(redis(), Queue.IMAGES)
    for lost in groups().lost(
        oldest_waiting=time.time() if waiting_since is None else waiting_since,
        grace=settings.recovery_grace,
        longest=settings.longest_hold,
    ):
        with logs.request(lost.request_id):
            _log.warning("images_recovered", group_id=lost.group_id, indices=lost.indices)
            messages = (ProcessImage(lost.group_id, index) for index in lost.indices)
            send_all(app, messages, published_at=lost.published_at)


@app.task(name=ExpireGroups.name)
def expire_groups() -> None:
    """Delete groups that ended long enough ago, and whatever requests that broke off have left in storage."""
    for group_id in groups().ended_before(time.time() - settings.keep_results):
        # The record goes last: while it is there, a deletion that was interrupted is taken up again.
        storage().delete_all(group_blobs(group_id))
        groups().delete(group_id)
        _log.info("group_expired", group_id=group_id)
    for group_id in storage().groups_older_than(ABANDONED):
        if not groups().exists(group_id):
            storage().delete_all(group_blobs(group_id))
    storage().discard_unfinished(older_than=ABANDONED)
