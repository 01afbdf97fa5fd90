"""Sending a mail, for whoever has a key."""

from darkroom_contracts.mail import MAX_BODY, Address
from darkroom_contracts.problems import ProblemCode
from flask import Response
from flask_openapi import APIBlueprint, Tag
from flask_openapi.utils import parse_body

from darkroom_api import extensions
from darkroom_api.groups import links
from darkroom_api.http import json_body
from darkroom_api.http.answers import accepted
from darkroom_api.http.api_keys import asks_for_key
from darkroom_api.http.openapi import NEEDS_KEY, answers
from darkroom_api.http.problems import Problem
from darkroom_api.mail.limits import new_request
from darkroom_api.mail.schemas import MailOrder, MailReference

blueprint = APIBlueprint("send_email", __name__, abp_tags=[Tag(name="mail", description="Mails")])

_LONGEST_ESCAPE = 12
"""Bytes of one character in JSON at most: two escapes such as ``\\ud83d`` make one beyond U+FFFF."""
_MAX_BYTES = _LONGEST_ESCAPE * MAX_BODY + json_body.MAX_BYTES

_content, _schemas = parse_body(MailOrder)
blueprint.components_schemas |= _schemas


@blueprint.post(
    "/send_email",
    operation_id="sendEmail",
    security=NEEDS_KEY,
    responses=answers({202: MailReference}, 400, 401, 403, 413, 415, 422, 429, 503),
    request_body={"required": True, "content": _content},
)
@asks_for_key
def send_email() -> Response:
    """Send a plain text to one address. Switched off (403) where this server has no API keys: it is no open relay."""
    if not extensions.settings().api_keys:
        raise Problem(
            403,
            "Without API keys this server sends nobody's mail. Whoever runs it can set some: DARKROOM_API_KEYS.",
            code=ProblemCode.EMAIL_DISABLED,
            error="Sending mail is switched off",
        )
    order = json_body.read(MailOrder, _MAX_BYTES)
    to = Address(order.to)
    mail_id = extensions.post().text(to, order.subject, order.body, new_request())
    return accepted(MailReference(id=mail_id), links.task(mail_id))
