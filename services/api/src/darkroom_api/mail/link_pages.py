"""The pages behind the links in mails.

Programs open links to look for harm in them, so a page only shows a button; what it says is done when it is pressed.
"""

from darkroom_records.links import BrokenLinkError
from flask import Response, make_response, render_template
from flask_openapi import APIBlueprint, Tag
from pydantic import BaseModel

from darkroom_api import extensions
from darkroom_api.http.foreign_pages import is_signed
from darkroom_api.http.openapi import answers, content, for_people

blueprint = APIBlueprint("mail_links", __name__, abp_tags=[Tag(name="newsletter", description="The weekly letter")])

_PAGE = {"text/html": {"schema": {"type": "string"}}}
_SHOWN = content("A page", _PAGE)
_ANSWERS = for_people(answers({200: _SHOWN}, 503)) | {
    404: content("A page that says what is wrong with the link", _PAGE)
}
_BROKEN = "This link does not work"


class LinkPath(BaseModel):
    """A link in a mail."""

    token: str


@blueprint.get("/confirm/<token>", operation_id="showConfirmPage", responses=_ANSWERS)
def ask_to_confirm(path: LinkPath) -> Response:
    """A page with a button that confirms a subscription."""
    return _page(
        "Get the weekly letter?",
        "Every Monday, a few lines about what this Darkroom did in the week before. Each letter has a link to end it.",
        address=extensions.mail_links().confirming(path.token),
        button="Yes, send it to me",
    )


@blueprint.post("/confirm/<token>", operation_id="confirmSubscription", responses=_ANSWERS)
@is_signed
def confirm(path: LinkPath) -> Response:
    """Confirm a subscription. Done twice, it is the same as once."""
    address = extensions.mail_links().confirming(path.token)
    if not extensions.subscribers().confirm(address):
        raise BrokenLinkError("The subscription was ended after this link was made. Subscribe again to get a new one.")
    return _page("You are subscribed", "The next letter comes on Monday.", address=address)


@blueprint.get("/unsubscribe/<token>", operation_id="showUnsubscribePage", responses=_ANSWERS)
def ask_to_unsubscribe(path: LinkPath) -> Response:
    """A page with a button that ends a subscription."""
    address = extensions.mail_links().unsubscribing(path.token)
    return _page("End the weekly letter?", "You will get no more of them.", address=address, button="Yes, end it")


@blueprint.post(
    "/unsubscribe/<token>", operation_id="unsubscribeByLink", responses=for_people(answers({200: _SHOWN}, 503))
)
@is_signed
def unsubscribe_by_link(path: LinkPath) -> Response:
    """End a subscription, also with one click in a mail program (RFC 8058). An old link is answered with 200, too."""
    try:
        address = extensions.mail_links().unsubscribing(path.token)
    except BrokenLinkError as error:
        return _page(_BROKEN, str(error))
    extensions.subscribers().remove(address)
    return _page("The weekly letter has ended", "You will get no more of them.", address=address)


@blueprint.errorhandler(BrokenLinkError)
def _say_that_it_is_broken(error: BrokenLinkError) -> Response:
    return _page(_BROKEN, str(error), 404)


def _page(title: str, sentence: str, status: int = 200, **more: str) -> Response:
    response = make_response(render_template("mail_link.html", title=title, sentence=sentence, **more), status)
    response.cache_control.no_store = True
    return response
