"""Running the failed images of a group again."""

import structlog
from darkroom_contracts.mail import Address
from darkroom_contracts.messages import ProcessImage
from darkroom_contracts.problems import ProblemCode
from darkroom_records.groups import GroupRunningError, ToPublish
from darkroom_records.outbox import notification_request
from darkroom_runtime.sending import send_all
from flask import Response
from flask_openapi import APIBlueprint, Tag
from kombu.exceptions import KombuError

from darkroom_api import extensions
from darkroom_api.groups import links
from darkroom_api.groups.parameters import GroupPath
from darkroom_api.groups.receipts import RetryReceipt
from darkroom_api.groups.responses import Accepted
from darkroom_api.http.answers import accepted
from darkroom_api.http.api_keys import asks_for_key
from darkroom_api.http.client_address import client
from darkroom_api.http.openapi import NEEDS_KEY, answers
from darkroom_api.http.problems import Problem, unavailable

blueprint = APIBlueprint("retry", __name__, abp_tags=[Tag(name="groups", description="Batches of images")])

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
    _reserve_notification(path.group_id)
    try:
        again = extensions.groups().retry(path.group_id)
    except GroupRunningError:
        raise Problem(
            409, "The group has not ended yet. Cancel it, or wait for its end.", code=ProblemCode.GROUP_RUNNING
        ) from None
    if not again.indices:
        raise Problem(409, "No image of the group failed that could be run again.", code=ProblemCode.NO_FAILED_IMAGES)
    _publish(again)
    total = extensions.groups().read(path.group_id, images=False).counts.total
    receipt = Accepted.of(path.group_id, total).model_dump() | {"retried": len(again.indices)}
    return accepted(RetryReceipt(**receipt), links.status(path.group_id))


def _reserve_notification(group_id: str) -> None:
    """Count the mail that the end of the new run brings, if it brings one, before anything is run."""
    group = extensions.groups().read(group_id, images=False)
    counts = group.counts
    if group.notify and group.email and group.state.is_final and counts.failed and not counts.cancelled:
        request = notification_request(group_id, group.run + 1, client())
        extensions.outbox().reserve((Address(group.email),), request)


def _publish(again: ToPublish) -> None:
    try:
        messages = (ProcessImage(again.group_id, index) for index in again.indices)
        send_all(extensions.celery(), messages, published_at=again.published_at)
    except KombuError as error:
        _log.error("retried_images_not_sent", group_id=again.group_id, reason=str(error))
        raise unavailable(
            "The queue does not answer. The images are noted down and will be sent to it once it does.",
            ProblemCode.QUEUE_UNAVAILABLE,
        ) from None
