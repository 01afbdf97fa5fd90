"""Tasks of the queue ``maintenance``."""

import time

import structlog
from darkroom_contracts.queues import Queue, Task
from darkroom_runtime import logs
from darkroom_runtime.publishing import oldest_waiting, publish_images

from darkroom_worker.app import app, settings
from darkroom_worker.resources import groups, redis

_log = structlog.get_logger(__name__)


@app.task(name=Task.RECOVER_GROUPS)
def recover_groups() -> None:
    """Send every image to the queue again that was lost with a worker or with a message."""
    waiting_since = oldest_waiting(redis(), Queue.IMAGES)
    for lost in groups().lost(
        oldest_waiting=time.time() if waiting_since is None else waiting_since,
        grace=settings.recovery_grace,
        longest=settings.longest_hold,
    ):
        with logs.request(lost.request_id):
            _log.warning("images_recovered", group_id=lost.group_id, indices=lost.indices)
            publish_images(app, lost.group_id, lost.indices, lost.published_at)
