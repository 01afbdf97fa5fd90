"""What is wrong with a request, in words for whoever wrote it."""

from collections.abc import Sequence
from typing import NoReturn

from darkroom_contracts.problems import ProblemCode
from darkroom_contracts.sentences import place, sentence
from darkroom_imaging.operations import OPERATIONS
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from darkroom_api.http import json_text
from darkroom_api.http.problems import Problem, missing_images

_MOST = 10
"""So many mistakes are named; the rest can wait for the next try."""

_TAGS = frozenset(OPERATIONS) | {"text", "data", "url", "image_id", "group_id"}
"""What pydantic puts after an index to say which kind of item it took it for."""

_NO_OBJECT = frozenset({"model_type", "model_attributes_type", "dict_type"})


def refuse_body(error: ValidationError) -> NoReturn:
    """Answer a body that did not pass its model.

    Raises:
        Problem: always; 400 where the images are missing or the body is no JSON, else 422.
    """
    for mistake in error.errors(include_url=False, include_input=False):
        if mistake["type"] == "json_invalid":
            raise broken_json(mistake["ctx"]["error"])
        if mistake["loc"] == ("images",):
            raise missing_images(f"images: {message(mistake)}.")
        if mistake["loc"] == () and mistake["type"] in _NO_OBJECT:
            raise missing_images("The body must be a JSON object with a list `images`.")
    refuse(error)


def refuse(error: ValidationError) -> NoReturn:
    """Answer what did not pass its model.

    Raises:
        Problem: always, with status 422.
    """
    mistakes = sorted(error.errors(include_url=False, include_input=False), key=_weight)
    raise problem_of([(where(mistake["loc"]), message(mistake)) for mistake in mistakes])


def refuse_small_body(error: ValidationError) -> NoReturn:
    """Answer a JSON body without images that did not pass its model.

    Raises:
        Problem: always; 400 where the body is no JSON, else 422.
    """
    mistake = error.errors(include_url=False, include_input=False)[0]
    if mistake["type"] == "json_invalid":
        raise broken_json(mistake["ctx"]["error"])
    if mistake["loc"] == () and mistake["type"] in _NO_OBJECT:
        raise Problem(422, "The body must be a JSON object.", code=ProblemCode.VALIDATION_FAILED)
    refuse(error)


def broken_json(reason: str) -> Problem:
    """A body that is no JSON, for the parser's reason."""
    return Problem(400, f"The body {json_text.sentence(reason)}.", code=ProblemCode.INVALID_JSON, error="Invalid JSON")


def problem_of(
    mistakes: Sequence[tuple[str, str]], status: int = 422, code: ProblemCode = ProblemCode.VALIDATION_FAILED
) -> Problem:
    """A problem that names where and what, and each mistake if there are several."""
    sentences = [f"{place}: {text.rstrip('.')}" if place else text.rstrip(".") for place, text in mistakes]
    named = sentences[:_MOST]
    more = f" (and {len(mistakes) - _MOST} more)" if len(mistakes) > _MOST else ""
    return Problem(
        status,
        f"{'; '.join(named)}{more}.",
        code=code,
        error=sentences[0],
        errors=[{"where": place, "message": text} for place, text in mistakes[:_MOST]],
    )


def where(loc: Sequence[int | str]) -> str:
    """The place as one would write it in a program, such as ``operations[1].radius``."""
    return place(loc, besides=_TAGS)


def message(mistake: ErrorDetails) -> str:
    """What is wrong there."""
    return sentence(mistake["type"], mistake.get("ctx", {}))


def _weight(mistake: ErrorDetails) -> bool:
    """Members that are too many come before members that are missing: they say what was meant."""
    return mistake["type"] == "missing"
