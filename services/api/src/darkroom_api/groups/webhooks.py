"""Sending a group's webhook again."""

from darkroom_contracts.messages import DeliverWebhook
from darkroom_contracts.problems import ProblemCode
from darkroom_records.groups import GroupRunningError, WebhookStatus
from darkroom_records.webhooks import NoWebhookError
from darkroom_runtime.sending import try_send
from flask import Response
from flask_openapi import APIBlueprint

from darkroom_api.groups.responses import Webhook
from darkroom_api.http.api_keys import asks_for_key
from darkroom_api.http.bodies import accepted
from darkroom_api.http.openapi import GROUPS, NEEDS_KEY, answers
from darkroom_api.http.parameters import GroupPath
from darkroom_api.http.problems import Problem
from darkroom_api.services import Services, services

blueprint = APIBlueprint("webhooks", __name__, abp_tags=[GROUPS])


@blueprint.post(
    "/webhook/<group_id>",
    operation_id="sendWebhook",
    security=NEEDS_KEY,
    responses=answers({202: Webhook}, 401, 404, 409, 503),
)
@asks_for_key
def send_webhook(path: GroupPath) -> Response:
    """Send the webhook of a group's latest end again.

    It has the same `webhook-id` and its schedule begins anew, also where its receiver had answered 410. What became of
    it is in the group's status.
    """
    webhook = resend_webhook(services(), path.group_id)
    return accepted(Webhook.of(webhook), services().paths.status(path.group_id))


def resend_webhook(services: Services, group_id: str) -> WebhookStatus:
    """Let a group's webhook be delivered again.

    Returns:
        How it stands now.

    Raises:
        Problem: 409 where the group runs or has none.
        UnknownGroupError: there is no such group.
    """
    try:
        services.webhooks.resend(group_id)
    except GroupRunningError:
        raise Problem(
            409,
            "The group has not ended yet. Its webhook is sent once it has.",
            code=ProblemCode.GROUP_RUNNING,
            headers={"Retry-After": "2"},
        ) from None
    except NoWebhookError:
        raise _none() from None
    webhook = services.groups.read(group_id, images=False).webhook
    if webhook is None:
        raise _none()
    try_send(services.celery, DeliverWebhook(group_id))  # the record says so, too
    return webhook


def _none() -> Problem:
    return Problem(
        409, "This group has no webhook: it was submitted without a `webhook_url`.", code=ProblemCode.NO_WEBHOOK
    )
