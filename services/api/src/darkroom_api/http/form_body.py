"""The fields of forms."""

from collections.abc import Mapping
from typing import TypeVar

from flask import request
from pydantic import BaseModel, ValidationError

from darkroom_api.http import json_body
from darkroom_api.http.validation import problem_of, refuse

MEDIA_TYPES = ("application/x-www-form-urlencoded", "multipart/form-data")

Body = TypeVar("Body", bound=BaseModel)


def fields() -> Mapping[str, str]:
    """The members of this request's form that are no files, each given once.

    Raises:
        Problem: 422 where one is given several times.
    """
    form = request.form
    if twice := [name for name in form if len(form.getlist(name)) > 1]:
        raise problem_of([(name, "is given more than once") for name in twice])
    return form.to_dict()


def read(model: type[Body]) -> Body:
    """A small form without files.

    Raises:
        Problem: 422 where it does not hold what it must.
        RequestEntityTooLarge: it is larger than anything that makes sense.
    """
    request.max_content_length = json_body.MAX_BYTES
    given = fields()
    if request.files:
        raise problem_of([(name, "must be text, not a file") for name in sorted(set(request.files))])
    try:
        return model.model_validate(given)
    except ValidationError as error:
        refuse(error)
