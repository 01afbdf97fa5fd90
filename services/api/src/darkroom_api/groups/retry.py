"""Running the failed images of a group again."""

from functools import partial

import structlog
from darkroom_contracts.messages import FetchImage
from darkroom_contracts.problems import ProblemCode
from darkroom_records.groups import BacklogFullError, GroupRunningError, PendingImages
from darkroom_records.outbox import notification_request
from darkroom_runtime.sending import send_all
from flask import Response
from flask_openapi import APIBlueprint
from kombu.exceptions import KombuError

from darkroom_api.groups.responses import Accepted, RetryReceipt
from darkroom_api.http.api_keys import asks_for_key
from darkroom_api.http.bodies import accepted
from darkroom_api.http.client_address import client
from darkroom_api.http.openapi import GROUPS, NEEDS_KEY, answers
from darkroom_api.http.parameters import GroupPath
from darkroom_api.http.problems import Problem, backlog_full, unavailable
from darkroom_api.services import Services, services

blueprint = APIBlueprint("retry", __name__, abp_tags=[GROUPS])

_log = structlog.get_logger(__name__)


@blueprint.post(
    "/retry/<group_id>",
    operation_id="retryGroup",
    security=NEEDS_KEY,
    responses=answers({202: RetryReceipt}, 401, 404, 409, 429, 503),
)
@asks_for_key
def retry(path: GroupPath) -> Response:
    """Run the failed images of an ended group again, and only those.

    Images that were refused when they were sent in stay as they are: there is nothing to run.
    """
    again = retry_group(services(), path.group_id, client())
    total = services().groups.read(path.group_id, images=False).counts.total
    retried = len(again.indices) + len(again.to_fetch)
    receipt = Accepted.of(path.group_id, total, services().paths).model_dump() | {"retried": retried}
    return accepted(RetryReceipt(**receipt), services().paths.status(path.group_id))


def retry_group(services: Services, group_id: str, client: str) -> PendingImages:
    """Let the failed images of a group be worked on again, and send them to the queue.

    Raises:
        Problem: 409 where the group runs or has none, 429 where too many images wait, 503 where the queue does not
            answer.
        MailLimitError: the email at its end would be one too many.
        UnknownGroupError: there is no such group.
    """
    _reserve_notification(services, group_id, client)
    try:
        again = services.groups.retry(group_id, services.settings.backlog_limits)
    except BacklogFullError:
        raise backlog_full() from None
    except GroupRunningError:
        raise Problem(
            409, "The group is still running. Cancel it, or wait for it to end.", code=ProblemCode.GROUP_RUNNING
        ) from None
    if not again.indices and not again.to_fetch:
        raise Problem(409, "No failed images to retry.", code=ProblemCode.NO_FAILED_IMAGES)
    _publish(services, again)
    return again


def _reserve_notification(services: Services, group_id: str, client: str) -> None:
    """Count the email that the end of the new run brings, if it brings one, before anything is run."""
    group = services.groups.read(group_id, images=False)
    counts = group.counts
    if group.notify and group.email and group.state.is_final and counts.failed and not counts.cancelled:
        request = notification_request(group_id, group.run + 1, client)
        services.outbox.reserve((group.email,), request)


def _publish(services: Services, again: PendingImages) -> None:
    try:
        again.turns.send(partial(send_all, services.celery))
        fetches = (FetchImage(again.group_id, index) for index in again.to_fetch)
        send_all(services.celery, fetches, published_at=again.published_at)
    except KombuError as error:
        _log.error("retried_images_not_sent", group_id=again.group_id, reason=str(error))
        raise unavailable(
            "Service temporarily unavailable. The images will be retried automatically.",
            ProblemCode.QUEUE_UNAVAILABLE,
        ) from None
