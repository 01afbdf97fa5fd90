"""Mailing a group's results."""

from dataclasses import replace

from darkroom_contracts.mail import Address
from darkroom_contracts.problems import ProblemCode
from darkroom_records.groups import Group
from darkroom_records.mail_limits import MailRequest
from flask import Response, request
from flask_openapi import APIBlueprint, Tag
from flask_openapi.utils import parse_body

from darkroom_api import extensions
from darkroom_api.groups import links
from darkroom_api.groups.parameters import GroupPath
from darkroom_api.http import json_body
from darkroom_api.http.answers import accepted
from darkroom_api.http.api_keys import asks_for_key
from darkroom_api.http.foreign_pages import has_effect
from darkroom_api.http.openapi import NEEDS_KEY, answers
from darkroom_api.http.problems import Problem
from darkroom_api.mail.limits import new_request
from darkroom_api.mail.schemas import MailReference, ResultsOrder

blueprint = APIBlueprint("send_images", __name__, abp_tags=[Tag(name="results", description="What became of them")])

_content, _schemas = parse_body(ResultsOrder)
blueprint.components_schemas |= _schemas
_ANSWERS = answers({202: MailReference}, 401, 404, 409, 422, 429, 503)


@blueprint.post(
    "/send_images/<group_id>",
    operation_id="emailResults",
    security=NEEDS_KEY,
    responses=_ANSWERS | answers({}, 400, 413, 415),
    request_body={"required": False, "content": _content},
)
@asks_for_key
def send_images(path: GroupPath) -> Response:
    """Mail the results of an ended group to the group's address. A group that has none can be given one.

    Asked for again within ten minutes, it is the same mail, unless that one failed or the group has ended anew.
    """
    given = json_body.read(ResultsOrder).email if _has_body() else None
    return _send(path.group_id, Address(given) if given else None)


@blueprint.get("/send_images/<group_id>", operation_id="emailResultsByLink", security=NEEDS_KEY, responses=_ANSWERS)
@has_effect
@asks_for_key
def send_images_by_link(path: GroupPath) -> Response:
    """The same as the POST, for a plain link."""
    return _send(path.group_id)


def _has_body() -> bool:
    return bool(request.content_length or request.headers.get("Transfer-Encoding"))


def _send(group_id: str, given: Address | None = None) -> Response:
    group = extensions.groups().read(group_id, images=False)
    if not group.state.is_final:
        raise Problem(
            409,
            "The group has not ended yet. Ask again once it has.",
            code=ProblemCode.GROUP_RUNNING,
            headers={"Retry-After": "2"},
        )
    request_for_mail = new_request()
    if given and group.email != given:
        group = _with_address(group, given, request_for_mail)
    if not group.email:
        raise Problem(
            422,
            "This group has no e-mail address. POST one as `email`, or give it along with the images.",
            code=ProblemCode.NO_EMAIL_ADDRESS,
            error="No address",
        )
    mail_id = extensions.post().results(group, request_for_mail)
    return accepted(MailReference(id=mail_id), links.task(mail_id))


def _with_address(group: Group, given: Address, request_for_mail: MailRequest) -> Group:
    """The group with the address that it was given, unless it has another one."""
    if not group.email:
        # First, so that a request for too many mails changes nothing. The mail itself then counts no more.
        extensions.outbox().reserve((given,), request_for_mail)
        if extensions.groups().set_email(group.group_id, given):
            return replace(group, email=given)
    raise Problem(
        409,
        "This group already has a different email address, which cannot be changed.",
        code=ProblemCode.EMAIL_ADDRESS_CONFLICT,
    )
