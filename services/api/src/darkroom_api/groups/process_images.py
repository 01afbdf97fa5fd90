"""Taking groups in."""

from typing import Any

from flask import Response
from flask_openapi import APIBlueprint, Tag
from flask_openapi.models import Encoding
from flask_openapi.utils import parse_body, parse_form

from darkroom_api.groups import bodies, links
from darkroom_api.groups.requests import IdempotencyHeader, ProcessImages, ProcessImagesForm
from darkroom_api.groups.responses import Accepted
from darkroom_api.groups.submission import Submission, take_in
from darkroom_api.http.answers import accepted
from darkroom_api.http.api_keys import asks_for_key, key_owner
from darkroom_api.http.openapi import IMAGE_FILES, NEEDS_KEY, answers

blueprint = APIBlueprint("process_images", __name__, abp_tags=[Tag(name="groups", description="Batches of images")])

ANSWERS = answers({202: Accepted}, 400, 401, 409, 413, 415, 422, 429, 503, 507)


def _request_body() -> dict[str, Any]:
    """Two kinds of body, of which flask-openapi3 takes one only from a view's annotations."""
    as_json, json_schemas = parse_body(ProcessImages)
    as_form, form_schemas = parse_form(ProcessImagesForm)
    as_form["multipart/form-data"].encoding = {
        "images": Encoding(contentType=IMAGE_FILES),
        "operations": Encoding(contentType="application/json"),
    }
    blueprint.components_schemas |= json_schemas | form_schemas
    return {"required": True, "content": as_json | as_form}


@blueprint.post(
    "/process_images",
    operation_id="processImages",
    security=NEEDS_KEY,
    responses=ANSWERS,
    request_body=_request_body(),
)
@asks_for_key
def process_images(header: IdempotencyHeader) -> Response:
    """Take a group of images in.

    An image that cannot be worked on fails alone, with the reason in the group's status; where that is true of all,
    the request is refused.
    """
    return accept(bodies.read(), header.idempotency_key)


def accept(submission: Submission, key: str | None) -> Response:
    """Make the group, and say where it can be followed."""
    made = take_in(submission, key=key, scope=key_owner())
    return accepted(Accepted.of(made.group_id, made.total), links.status(made.group_id))
