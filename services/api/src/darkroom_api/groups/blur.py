"""The form: photographs in, blurred photographs back."""

from darkroom_contracts.problems import ProblemCode
from darkroom_imaging.operations import Blur, write_pipeline
from flask import Response, request
from flask_openapi import APIBlueprint, Tag
from flask_openapi.models import Encoding
from flask_openapi.utils import parse_form
from pydantic import ValidationError

from darkroom_api.groups import bodies
from darkroom_api.groups.process_images import ANSWERS, accept
from darkroom_api.groups.requests import BlurForm, BlurMembers, IdempotencyHeader
from darkroom_api.groups.submission import Submission
from darkroom_api.http.api_keys import asks_for_key
from darkroom_api.http.openapi import IMAGE_FILES, NEEDS_KEY
from darkroom_api.http.problems import Problem
from darkroom_api.http.validation import refuse

blueprint = APIBlueprint("blur", __name__, abp_tags=[Tag(name="groups", description="Batches of images")])

_content, _schemas = parse_form(BlurForm)
_content["multipart/form-data"].encoding = {"images": Encoding(contentType=IMAGE_FILES)}
blueprint.components_schemas |= _schemas


@blueprint.post(
    "/blur",
    operation_id="blurImages",
    security=NEEDS_KEY,
    responses=ANSWERS,
    request_body={"required": True, "content": _content},
)
@asks_for_key
def blur(header: IdempotencyHeader) -> Response:
    """Blur photographs, as a form sends them."""
    if request.mimetype != "multipart/form-data":
        raise Problem(415, "Send `multipart/form-data`.", code=ProblemCode.UNSUPPORTED_MEDIA_TYPE)
    fields = bodies.form_fields()
    images = bodies.form_images()
    try:
        members = BlurMembers.model_validate_strings(fields)
    except ValidationError as error:
        refuse(error)
    return accept(
        Submission(images, write_pipeline((Blur(radius=members.radius),)), members.email, members.notify),
        header.idempotency_key,
    )
