"""Cancelling a group, and seeing to it that nobody works on it any more."""

import time
from functools import partial

import structlog
from darkroom_contracts.ids import task_id
from darkroom_contracts.problems import ProblemCode
from darkroom_contracts.states import GroupState
from darkroom_records.groups import Cancelled, GroupEndedError
from darkroom_runtime.sending import NOT_SENT, stop_tasks, try_send, try_send_all
from flask import Response
from flask_openapi import APIBlueprint

from darkroom_api.groups.responses import CancelReceipt
from darkroom_api.http.bodies import as_json
from darkroom_api.http.openapi import GROUPS, answers
from darkroom_api.http.parameters import GroupPath
from darkroom_api.http.problems import Problem
from darkroom_api.services import Services, services

PATIENCE = 3.0
"""Seconds that workers have to stop. An image is stopped by killing its process, which takes a few milliseconds."""
POLL = 0.02

_log = structlog.get_logger(__name__)

blueprint = APIBlueprint("cancellation", __name__, abp_tags=[GROUPS])


@blueprint.post(
    "/cancel/<group_id>", operation_id="cancelGroup", responses=answers({200: CancelReceipt}, 404, 409, 503)
)
def cancel(path: GroupPath) -> Response:
    """Cancel a group: what waits never starts, what runs is stopped, results already made stay.

    The answer comes once nobody works on the group any more, commonly within a fraction of a second.
    """
    try:
        cancelled = cancel_group(services(), path.group_id)
    except GroupEndedError:
        raise Problem(
            409, "The group has already ended; there is nothing to cancel.", code=ProblemCode.GROUP_ENDED
        ) from None
    return as_json(
        CancelReceipt(
            group_id=path.group_id,
            state=GroupState.CANCELLED,
            finished=cancelled.finished,
            aborted=len(cancelled.aborted),
            never_started=cancelled.never_started,
        )
    )


def cancel_group(services: Services, group_id: str) -> Cancelled:
    """Cancel what has not ended of a group, and wait until the processes that worked on it are gone.

    The record takes nothing more from them from the first moment; who then still held on could only leave a file that
    nobody is given.

    Raises:
        UnknownGroupError: there is no such group.
        GroupEndedError: it had ended.
    """
    cancelled = services.groups.cancel(group_id)
    cancelled.announce(partial(try_send, services.celery), partial(try_send_all, services.celery))
    if cancelled.aborted:
        try:
            _stop(services, cancelled)
        except NOT_SENT as error:  # what was cancelled stays so
            _log.warning("cancelled_images_not_stopped", reason=str(error))
    return cancelled


def _stop(services: Services, cancelled: Cancelled) -> None:
    stop_tasks(services.celery, (task_id(cancelled.group_id, index) for index in cancelled.aborted))
    deadline = time.monotonic() + PATIENCE
    while services.groups.has_live_workers(cancelled.group_id):
        if time.monotonic() > deadline:
            _log.warning("cancelled_images_still_held", group_id=cancelled.group_id, indices=cancelled.aborted)
            return
        time.sleep(POLL)
