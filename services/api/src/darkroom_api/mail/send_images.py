"""Mailing a group's results."""

from darkroom_contracts.mail import Address
from flask import Response, request
from flask_openapi3 import APIBlueprint, Tag

from darkroom_api import extensions
from darkroom_api.groups.parameters import GroupPath
from darkroom_api.http.answers import as_json
from darkroom_api.http.api_keys import asks_for_key
from darkroom_api.http.openapi import NEEDS_KEY, answers
from darkroom_api.http.problems import Problem
from darkroom_api.mail.schemas import MailReference

blueprint = APIBlueprint("send_images", __name__, abp_tags=[Tag(name="results", description="What became of them")])

_ANSWERS = answers({202: MailReference}, 401, 404, 409, 422, 429, 503)


@blueprint.post("/send_images/<group_id>", security=NEEDS_KEY, responses=_ANSWERS)
@asks_for_key
def send_images(path: GroupPath) -> Response:
    """Mail the results of an ended group to the group's address.

    Asked for again within ten minutes, it is the same mail, unless that one failed or the group has ended anew.
    """
    return _send(path.group_id)


@blueprint.get("/send_images/<group_id>", security=NEEDS_KEY, responses=_ANSWERS)
@asks_for_key
def send_images_by_link(path: GroupPath) -> Response:
    """The same as the POST, for a plain link."""
    if request.method == "HEAD":  # Flask adds it to each GET, and programs that only look must not send mail
        raise Problem(405, "Ask with GET or POST: looking would send the mail.", headers={"Allow": "GET, POST"})
    return _send(path.group_id)


def _send(group_id: str) -> Response:
    group = extensions.groups().read(group_id, images=False)
    if not group.state.is_final:
        raise Problem(409, "The group has not ended yet. Ask again once it has.", headers={"Retry-After": "2"})
    if not group.email:
        raise Problem(
            422, "This group has no e-mail address: none was given as `email` with its images.", error="No address"
        )
    extensions.mail_limits().count(Address(group.email))
    return as_json(MailReference(id=extensions.post().results(group)), 202)
