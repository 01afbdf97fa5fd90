"""Small JSON bodies, held to their models."""

from typing import TypeVar

from darkroom_contracts.problems import ProblemCode
from flask import request
from pydantic import BaseModel, ValidationError

from darkroom_api.http.problems import Problem
from darkroom_api.http.validation import refuse_small_body

MAX_BYTES = 100_000
"""The largest body that is read: such a body holds no images."""

_VALUES_PER_IMAGE = 50
_VALUES_BESIDE = 10_000

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


def read(model: type[Body], max_bytes: int = MAX_BYTES) -> Body:
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
