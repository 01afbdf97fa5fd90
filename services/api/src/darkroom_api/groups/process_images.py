"""Taking groups in: any operations, or the form that blurs."""

from dataclasses import replace
from typing import Any

from darkroom_contracts.problems import ProblemCode
from darkroom_imaging.operations import Blur, write_pipeline
from darkroom_records.groups import Terms
from flask import Response, request
from flask_openapi import APIBlueprint
from flask_openapi.models import Encoding
from flask_openapi.utils import parse_body, parse_form
from pydantic import ValidationError

from darkroom_api.groups import bodies
from darkroom_api.groups.presets import refuse_if_limited
from darkroom_api.groups.requests import BlurForm, BlurMembers, IdempotencyHeader, ProcessImages, ProcessImagesForm
from darkroom_api.groups.responses import Accepted
from darkroom_api.groups.submission import Submission, create_group
from darkroom_api.http.api_keys import asks_for_key, key_name, key_owner, owner
from darkroom_api.http.bodies import accepted
from darkroom_api.http.client_address import client
from darkroom_api.http.openapi import GROUPS, IMAGE_FILES, NEEDS_KEY, answers
from darkroom_api.http.problems import Problem
from darkroom_api.http.validation import refuse
from darkroom_api.services import services
from darkroom_api.uploads.space_guard import needs_disk_space

blueprint = APIBlueprint("process_images", __name__, abp_tags=[GROUPS])

ANSWERS = answers({202: Accepted}, 400, 401, 409, 413, 415, 422, 429, 503, 507)


def request_body(blueprint: APIBlueprint) -> dict[str, Any]:
    """Two kinds of body, of which flask-openapi takes one only from a view's annotations."""
    as_json, json_schemas = parse_body(ProcessImages)
    as_form, form_schemas = parse_form(ProcessImagesForm)
    as_form["multipart/form-data"].encoding = {
        "images": Encoding(contentType=IMAGE_FILES),
        "operations": Encoding(contentType="application/json"),
        "outputs": Encoding(contentType="application/json"),
    }
    blueprint.components_schemas |= json_schemas | form_schemas
    return {"required": True, "content": as_json | as_form}


def _form_body() -> dict[str, Any]:
    content, schemas = parse_form(BlurForm)
    content["multipart/form-data"].encoding = {"images": Encoding(contentType=IMAGE_FILES)}
    blueprint.components_schemas |= schemas
    return {"required": True, "content": content}


@blueprint.post(
    "/process_images",
    operation_id="processImages",
    security=NEEDS_KEY,
    responses=ANSWERS,
    request_body=request_body(blueprint),
)
@asks_for_key
@needs_disk_space
def process_images(header: IdempotencyHeader) -> Response:
    """Take a group of images in.

    An image that cannot be worked on fails alone, with the reason in the group's status; where that is true of all,
    the request is refused.
    """
    return _accept(bodies.read(), header.idempotency_key)


@blueprint.post(
    "/blur",
    operation_id="blurImages",
    security=NEEDS_KEY,
    responses=ANSWERS,
    request_body=_form_body(),
)
@asks_for_key
@needs_disk_space
def blur(header: IdempotencyHeader) -> Response:
    """Blur photographs, as a form sends them."""
    if request.mimetype != "multipart/form-data":
        raise Problem(415, "Send `multipart/form-data`.", code=ProblemCode.UNSUPPORTED_MEDIA_TYPE)
    refuse_if_limited(services().presets, key_name())
    fields = bodies.form_fields()
    images = bodies.form_images()
    try:
        members = BlurMembers.model_validate_strings(fields)
    except ValidationError as error:
        refuse(error)
    return _accept(
        Submission(
            images,
            write_pipeline((Blur(radius=members.radius),)),
            Terms(email=members.email, notify=members.notify),
        ),
        header.idempotency_key,
    )


def _accept(submission: Submission, key: str | None) -> Response:
    """Make the group, and say where it can be followed."""
    submission = replace(submission, terms=replace(submission.terms, owner=owner()))
    made = create_group(services(), submission, client=client(), key=key, scope=key_owner())
    paths = services().paths
    return accepted(Accepted.of(made.group_id, made.total, paths), paths.status(made.group_id))
