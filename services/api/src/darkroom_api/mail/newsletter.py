"""Subscribing to the newsletter and ending it: by address, and by the links in emails."""

from darkroom_contracts.mail import Address
from darkroom_contracts.problems import ProblemCode
from darkroom_records.links import BrokenLinkError
from flask import Response, make_response, render_template, request
from flask_openapi import APIBlueprint
from pydantic import BaseModel, ConfigDict

from darkroom_api.groups.requests import EmailAddress
from darkroom_api.http import bodies
from darkroom_api.http.api_keys import asks_for_key
from darkroom_api.http.bodies import accepted, as_json
from darkroom_api.http.client_address import client
from darkroom_api.http.foreign_pages import is_signed
from darkroom_api.http.openapi import NEEDS_KEY, NEWSLETTER, answers, content, for_people, json_content
from darkroom_api.http.problems import Problem
from darkroom_api.mail.emails import new_request
from darkroom_api.services import services

blueprint = APIBlueprint("newsletter", __name__, abp_tags=[NEWSLETTER])
link_pages = APIBlueprint("mail_links", __name__, abp_tags=[NEWSLETTER])


class Subscription(BaseModel):
    """An address for the newsletter."""

    model_config = ConfigDict(strict=True, extra="forbid")

    email: EmailAddress


class Notice(BaseModel):
    """A sentence for whoever asked."""

    message: str


_ASKED = Notice(message="If this address is not subscribed yet, an email with a confirmation link is on its way.")
_LEFT = Notice(message="This address is not subscribed.")

_BODY = json_content(blueprint, Subscription)
_BODY["content"] |= dict.fromkeys(bodies.FORM_TYPES, _BODY["content"]["application/json"])


@blueprint.post(
    "/subscribe",
    operation_id="subscribe",
    security=NEEDS_KEY,
    responses=answers({202: Notice}, 400, 401, 413, 415, 422, 429, 503),
    request_body=_BODY,
)
@asks_for_key
def subscribe() -> Response:
    """Ask for the newsletter. The address is subscribed once the link in the email it then gets was confirmed."""
    address, request_for_mail = _address(), new_request()
    services().outbox.reserve((address,), request_for_mail)
    services().subscribers.request(address)
    services().emails.send_confirmation(address, request_for_mail)
    # A Location of this request alone would tell whether an email was sent.
    return accepted(_ASKED, services().paths.page)


@blueprint.post(
    "/unsubscribe",
    operation_id="unsubscribe",
    responses=answers({200: Notice}, 400, 413, 415, 422, 429, 503),
    request_body=_BODY,
)
def unsubscribe() -> Response:
    """End the newsletter for an address. That takes no link, since nobody should have to look for one."""
    address = _address()
    services().outbox.count_unsubscription(client())
    services().subscribers.remove(address)
    return as_json(_LEFT)


def _address() -> Address:
    if request.mimetype == "application/json":
        return bodies.read_json(Subscription).email
    if request.mimetype in bodies.FORM_TYPES:
        return bodies.read_form(Subscription).email
    raise Problem(415, "Send `application/json` or a form.", code=ProblemCode.UNSUPPORTED_MEDIA_TYPE)


_PAGE = {"text/html": {"schema": {"type": "string"}}}
_SHOWN = content("A page", _PAGE)
_ANSWERS = for_people(answers({200: _SHOWN}, 503)) | {
    404: content("A page that says what is wrong with the link", _PAGE)
}
_BROKEN = "This link does not work"


class LinkPath(BaseModel):
    """A link in an email."""

    token: str


@link_pages.get("/confirm/<token>", operation_id="showConfirmPage", responses=_ANSWERS)
def ask_to_confirm(path: LinkPath) -> Response:
    """A page with a button that confirms a subscription."""
    return _page(
        "Subscribe to the weekly newsletter?",
        "Every Monday, a short summary of what this Darkroom did last week. Unsubscribe at any time.",
        address=services().links.confirming(path.token),
        button="Subscribe",
    )


@link_pages.post("/confirm/<token>", operation_id="confirmSubscription", responses=_ANSWERS)
@is_signed
def confirm(path: LinkPath) -> Response:
    """Confirm a subscription. Done twice, it is the same as once."""
    address = services().links.confirming(path.token)
    if not services().subscribers.confirm(address):
        raise BrokenLinkError("You unsubscribed after this link was sent. Subscribe again to get a new one.")
    return _page("You are subscribed", "The next newsletter comes on Monday.", address=address)


@link_pages.get("/unsubscribe/<token>", operation_id="showUnsubscribePage", responses=_ANSWERS)
def ask_to_unsubscribe(path: LinkPath) -> Response:
    """A page with a button that ends a subscription."""
    address = services().links.unsubscribing(path.token)
    return _page(
        "Unsubscribe from the weekly newsletter?",
        "You will receive no more newsletters.",
        address=address,
        button="Unsubscribe",
    )


@link_pages.post(
    "/unsubscribe/<token>", operation_id="unsubscribeByLink", responses=for_people(answers({200: _SHOWN}, 503))
)
@is_signed
def unsubscribe_by_link(path: LinkPath) -> Response:
    """End a subscription, also with one click in a mail program (RFC 8058). An old link is answered with 200, too."""
    try:
        address = services().links.unsubscribing(path.token)
    except BrokenLinkError as error:
        return _page(_BROKEN, str(error))
    services().subscribers.remove(address)
    return _page("You are unsubscribed", "You will receive no more newsletters.", address=address)


@link_pages.errorhandler(BrokenLinkError)
def _say_that_it_is_broken(error: BrokenLinkError) -> Response:
    return _page(_BROKEN, str(error), 404)


def _page(title: str, sentence: str, status: int = 200, **more: str) -> Response:
    response = make_response(render_template("mail_link.html", title=title, sentence=sentence, **more), status)
    response.cache_control.no_store = True
    return response
