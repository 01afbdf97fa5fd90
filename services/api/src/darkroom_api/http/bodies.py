"""Bodies: JSON and forms as they are read, limited and held to their models, and JSON as it is answered."""

import io
import re
from collections.abc import Mapping
from typing import TypeVar

from darkroom_contracts.problems import ProblemCode
from flask import Response, request
from pydantic import BaseModel, ValidationError

from darkroom_api.http.problems import Problem
from darkroom_api.http.validation import problem_of, refuse, refuse_small_body

MAX_BYTES = 100_000
"""The largest body that is read: such a body holds no images."""

FORM_TYPES = ("application/x-www-form-urlencoded", "multipart/form-data")

_VALUES_PER_IMAGE = 50
_VALUES_BESIDE = 10_000
_WIDE_TEXT = 4_000_000
_STRING = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"?', re.DOTALL)  # one without end, too: it is read once
_NOT_ASCII = re.compile(rb"[\x80-\xff]")
_ESCAPED = re.compile(rb"\\u(?!00[0-7])")
_PIECE = 1 << 20

Body = TypeVar("Body", bound=BaseModel)


def limit_values(text: bytes | str, max_images: int) -> None:
    """Refuse JSON of far more values than a request has use for. Each takes up to a kilobyte once it is read.

    Raises:
        Problem: 413.
    """
    limit = _VALUES_BESIDE + _VALUES_PER_IMAGE * max_images
    commas = text.count(b",") if isinstance(text, bytes) else text.count(",")
    if commas > limit:
        raise Problem(413, f"The JSON has too many values: the limit is {limit:,}.", code=ProblemCode.REQUEST_TOO_LARGE)


def limit_wide_text(body: bytes) -> None:
    """Refuse JSON with far more text beyond ASCII than names have use for. It takes up to four times as much memory.

    Raises:
        Problem: 413.
    """
    if body.isascii() and b"\\u" not in body:
        return
    size = 0
    for string in _STRING.finditer(body):
        if _NOT_ASCII.search(body, *string.span()) or _ESCAPED.search(body, *string.span()):
            size += string.end() - string.start()
    if size > _WIDE_TEXT:
        raise Problem(
            413,
            f"The JSON has too much text beyond ASCII: the limit is {_WIDE_TEXT:,} bytes. Send images as base64.",
            code=ProblemCode.REQUEST_TOO_LARGE,
        )


def read_whole() -> bytes:
    """The body of this request, of which no second copy is made.

    Raises:
        RequestEntityTooLarge: it is larger than the request's ``max_content_length``.
    """
    body = io.BytesIO()
    while piece := request.stream.read(_PIECE):
        body.write(piece)
    return body.getvalue()  # the buffer itself: nobody else uses it any more


def read_json(model: type[Body], max_bytes: int = MAX_BYTES) -> Body:
    """The body of this request, of at most so many bytes.

    Raises:
        Problem: 415 where it is no JSON by its own account, 400 where it cannot be read as JSON, 422 where it does not
            hold what it must.
        RequestEntityTooLarge: it is larger than anything that makes sense.
    """
    if request.mimetype != "application/json":
        raise Problem(415, "Send `application/json`.", code=ProblemCode.UNSUPPORTED_MEDIA_TYPE)
    request.max_content_length = max_bytes
    try:
        return model.model_validate_json(request.get_data(cache=False))
    except ValidationError as error:
        refuse_small_body(error)


def form_fields() -> Mapping[str, str]:
    """The members of this request's form that are no files, each given once.

    Raises:
        Problem: 422 where one is given several times.
    """
    form = request.form
    if twice := [name for name in form if len(form.getlist(name)) > 1]:
        raise problem_of([(name, "is given more than once") for name in twice])
    return form.to_dict()


def read_form(model: type[Body]) -> Body:
    """A small form without files.

    Raises:
        Problem: 422 where it does not hold what it must.
        RequestEntityTooLarge: it is larger than anything that makes sense.
    """
    request.max_content_length = MAX_BYTES
    given = form_fields()
    if request.files:
        raise problem_of([(name, "must be text, not a file") for name in sorted(set(request.files))])
    try:
        return model.model_validate(given)
    except ValidationError as error:
        refuse(error)


def as_json(body: BaseModel, status: int = 200) -> Response:
    """The model as JSON."""
    return Response(body.model_dump_json(), status, content_type="application/json")


def accepted(body: BaseModel, location: str) -> Response:
    """The model as JSON with status 202, and the address where it can be followed."""
    response = as_json(body, 202)
    response.headers["Location"] = location
    return response
