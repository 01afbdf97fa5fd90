"""Cancelling a group, and seeing to it that nobody works on it any more."""

import time

import structlog
from darkroom_contracts.ids import celery_id, task_id
from darkroom_records.groups import Cancelled
from darkroom_runtime.redis_client import UNAVAILABLE
from kombu.exceptions import KombuError

from darkroom_api import extensions

PATIENCE = 3.0
"""Seconds that workers have to stop. An image is stopped by killing its process, which takes a few milliseconds."""
POLL = 0.02

_log = structlog.get_logger(__name__)


def cancel(group_id: str) -> Cancelled:
    """Cancel what has not ended of a group, and wait until the processes that worked on it are gone.

    The record takes nothing more from them from the first moment; who then still held on could only leave a file that
    nobody is given.

    Raises:
        UnknownGroupError: there is no such group.
        GroupEndedError: it had ended.
    """
    cancelled = extensions.groups().cancel(group_id)
    if cancelled.aborted:
        try:
            _stop(cancelled)
        except (KombuError, *UNAVAILABLE) as error:  # what was cancelled stays so
            _log.warning("cancelled_images_not_stopped", reason=str(error))
    return cancelled


def _stop(cancelled: Cancelled) -> None:
    ids = [task_id(cancelled.group_id, index) for index in cancelled.aborted]
    running = [*map(celery_id, ids), *ids]  # messages of version 0.1.0 carry the second kind
    extensions.celery().control.revoke(running, terminate=True, signal="SIGKILL")
    deadline = time.monotonic() + PATIENCE
    while extensions.groups().still_held(cancelled.group_id):
        if time.monotonic() > deadline:
            _log.warning("cancelled_images_still_held", group_id=cancelled.group_id, indices=cancelled.aborted)
            return
        time.sleep(POLL)
