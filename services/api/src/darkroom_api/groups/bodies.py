"""What a request's body asks for, whichever form it has."""

import json
import re
import time
from collections.abc import Mapping
from typing import Any

from darkroom_contracts.problems import ProblemCode
from darkroom_imaging.errors import ImageError
from darkroom_imaging.operations import write_pipeline
from darkroom_records.file_names import clean
from flask import request
from pydantic import ValidationError
from werkzeug.exceptions import RequestEntityTooLarge

from darkroom_api.groups.item_models import DataItem, EarlierItem, ImageItem, UploadItem, UrlItem, item_of
from darkroom_api.groups.items import decode
from darkroom_api.groups.originals import name_from_url, remote_original
from darkroom_api.groups.presets import refuse_if_limited, with_preset
from darkroom_api.groups.references import References
from darkroom_api.groups.requests import Members, ProcessImages
from darkroom_api.groups.submission import Submission, TakenImage
from darkroom_api.groups.terms import terms_of
from darkroom_api.http import bodies, json_text
from darkroom_api.http.api_keys import key_name, owner
from darkroom_api.http.parameters import true_or_false
from darkroom_api.http.problems import Problem, missing_images
from darkroom_api.http.validation import problem_of, refuse, refuse_body
from darkroom_api.services import services
from darkroom_api.uploads.staging import StagedImage, current_staging, too_many_images, uploaded_image

_AS_JSON = frozenset({"operations", "outputs"})
_NUMBER = re.compile(r"-?[0-9]{1,18}")


def read() -> Submission:
    """The group that this request wants to be made.

    Raises:
        Problem: it is not asked for in a way that can be understood.
    """
    if request.mimetype == "multipart/form-data":
        return from_form(members(form_fields()))
    if request.mimetype == "application/json":
        return _from_json()
    if not request.mimetype and not request.content_length:
        raise missing_images()
    raise Problem(415, "Send `application/json` or `multipart/form-data`.", code=ProblemCode.UNSUPPORTED_MEDIA_TYPE)


def from_form(wanted: Members) -> Submission:
    """The files ``images`` of a form, with what is wanted."""
    wanted = with_preset(wanted, services().presets, key_name())
    terms = terms_of(wanted, services().settings, now=time.time())
    return Submission(form_images(), write_pipeline(wanted.operations), terms)


def form_images() -> list[TakenImage]:
    """The files ``images`` of a form.

    Raises:
        Problem: there are none.
    """
    if others := set(request.files) - {"images"}:
        raise problem_of([(name, "unknown field; files are sent as `images`") for name in sorted(others)])
    files = [(file.filename, uploaded_image(file)) for file in request.files.getlist("images")]
    files = [(name, staged) for name, staged in files if name or staged.size]  # browsers send an empty one for none
    if not files:
        raise missing_images("Send at least one file as `images`.")
    return [TakenImage(clean(name, index), staged) for index, (name, staged) in enumerate(files)]


def form_fields() -> Mapping[str, str]:
    """The members of a form that are no files, each given once.

    Raises:
        Problem: one is given several times.
    """
    if "images" in request.form:
        raise missing_images("images: each must be a file, with a file name.")
    return bodies.form_fields()


def members(fields: Mapping[str, str]) -> Members:
    """The members of a form, of which ``operations`` and ``outputs`` are JSON.

    Raises:
        Problem: they are wrong.
    """
    values: dict[str, Any] = dict(fields)
    for name in _AS_JSON & values.keys():
        values[name] = _json(name, values[name])
    if "notify" in values:
        values["notify"] = true_or_false(values["notify"])
    if "keep_for" in values and _NUMBER.fullmatch(values["keep_for"]):
        values["keep_for"] = int(values["keep_for"])
    try:
        return Members.model_validate_json(json.dumps(values))
    except ValidationError as error:
        mistake = error.errors(include_url=False, include_input=False)[0]
        if mistake["type"] == "json_invalid":  # as a member of a body it is one level deeper
            raise _not_json("operations", json_text.sentence(mistake["ctx"]["error"])) from None
        refuse(error)


def _json(name: str, text: str) -> Any:
    bodies.limit_values(text, max_images=1)
    try:
        return json_text.parse(text)
    except json_text.InvalidJsonError as error:
        raise _not_json(name, str(error)) from None


def _not_json(name: str, reason: str) -> Problem:
    return problem_of([(name, reason)], code=ProblemCode.INVALID_JSON)


def _from_json() -> Submission:
    limit = services().settings.max_json_bytes
    request.max_content_length = min(limit, services().settings.max_request_bytes)
    try:
        body = ProcessImages.model_validate_json(_json_body())
    except RequestEntityTooLarge:
        raise Problem(
            413,
            f"A JSON body may have at most {limit:,} bytes; send more as multipart/form-data.",
            code=ProblemCode.REQUEST_TOO_LARGE,
        ) from None
    except ValidationError as error:
        refuse_body(error)
    if len(body.images) > services().settings.max_images:
        raise too_many_images(services().settings.max_images)
    body = with_preset(body, services().presets, key_name())
    if any(not isinstance(item, str) and item.operations is not None for item in body.images):
        refuse_if_limited(services().presets, key_name())
    terms = terms_of(body, services().settings, now=time.time())
    return Submission(_take(body.images), write_pipeline(body.operations), terms)


def _json_body() -> bytes:
    body = bodies.read_whole()
    bodies.limit_values(body, services().settings.max_images)
    bodies.limit_wide_text(body)
    return body


def _take(items: list[str | ImageItem]) -> list[TakenImage]:
    """Find or store the originals of images. Each text is let go of once it is stored: together they are large."""
    references = References.of(items, services(), owner())
    items.reverse()
    return [_taken(items.pop(), index, references) for index in range(len(items))]


def _taken(item: str | ImageItem, index: int, references: References) -> TakenImage:
    if isinstance(item, str):
        item = item_of(item)
    pipeline = None if item.operations is None else write_pipeline(item.operations)
    own_name = None if item.name is None else clean(item.name, index)
    match item:
        case DataItem():
            return TakenImage(clean(item.name, index), _stored(item.data), pipeline)
        case UrlItem():
            return TakenImage(own_name or name_from_url(item.url, index), remote_original(item.url), pipeline)
        case UploadItem():
            original, name = references.upload(item.image_id)
        case EarlierItem():
            original, name = references.earlier(item.group_id, item.index)
    return TakenImage(own_name or clean(name, index), original, pipeline, has_own_name=own_name is not None)


def _stored(text: str) -> StagedImage:
    staged = current_staging().begin()
    try:
        for piece in decode(text):
            staged.write(piece)
        staged.complete()
    except ImageError as error:
        staged.unfit = error
    return staged
