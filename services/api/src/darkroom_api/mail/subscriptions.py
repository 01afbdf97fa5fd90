"""Asking for the newsletter, and ending it, by address. No answer ever tells whether an address is known."""

from darkroom_contracts.mail import Address
from darkroom_contracts.problems import ProblemCode
from flask import Response, request
from flask_openapi import APIBlueprint, Tag
from flask_openapi.utils import parse_body

from darkroom_api import extensions
from darkroom_api.groups import links
from darkroom_api.http import form_body, json_body
from darkroom_api.http.answers import accepted, as_json
from darkroom_api.http.api_keys import asks_for_key
from darkroom_api.http.client_address import client
from darkroom_api.http.openapi import NEEDS_KEY, answers
from darkroom_api.http.problems import Problem
from darkroom_api.mail.limits import new_request
from darkroom_api.mail.schemas import Notice, Subscription

blueprint = APIBlueprint("subscriptions", __name__, abp_tags=[Tag(name="newsletter", description="The weekly letter")])

_ASKED = Notice(
    message="If this address does not get the newsletter yet, a mail is on its way to it, with a link to confirm."
)
_LEFT = Notice(message="This address does not get the newsletter, or not any more.")

_content, _schemas = parse_body(Subscription)
blueprint.components_schemas |= _schemas
_BODY = {
    "required": True,
    "content": _content | dict.fromkeys(form_body.MEDIA_TYPES, _content["application/json"]),
}


@blueprint.post(
    "/subscribe",
    operation_id="subscribe",
    security=NEEDS_KEY,
    responses=answers({202: Notice}, 400, 401, 413, 415, 422, 429, 503),
    request_body=_BODY,
)
@asks_for_key
def subscribe() -> Response:
    """Ask for the newsletter. The address is subscribed once the link in the mail it then gets was confirmed."""
    address, request_for_mail = _address(), new_request()
    extensions.outbox().reserve((address,), request_for_mail)
    extensions.subscribers().request(address)
    extensions.post().confirmation(address, request_for_mail)
    return accepted(_ASKED, links.PAGE)  # an address of this request alone would tell whether a mail was sent


@blueprint.post(
    "/unsubscribe",
    operation_id="unsubscribe",
    responses=answers({200: Notice}, 400, 413, 415, 422, 429, 503),
    request_body=_BODY,
)
def unsubscribe() -> Response:
    """End the newsletter for an address. That takes no link, since nobody should have to look for one."""
    address = _address()
    extensions.outbox().count_unsubscription(client())
    extensions.subscribers().remove(address)
    return as_json(_LEFT)


def _address() -> Address:
    if request.mimetype == "application/json":
        return Address(json_body.read(Subscription).email)
    if request.mimetype in form_body.MEDIA_TYPES:
        return Address(form_body.read(Subscription).email)
    raise Problem(415, "Send `application/json` or a form.", code=ProblemCode.UNSUPPORTED_MEDIA_TYPE)
