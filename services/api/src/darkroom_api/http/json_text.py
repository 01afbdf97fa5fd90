"""What is wrong with text that should be JSON, in words of ours."""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from pydantic_core import from_json

_PLACE = re.compile(r" at line (\d+) column (\d+)$")
_REASONS: Mapping[str, str] = MappingProxyType(
    {
        "recursion limit": "it is nested too deeply",
        "number out of range": "it has a number with too many digits",
        "EOF": "it ends too early",
        "trailing comma": "it has a trailing comma",
        "trailing characters": "something follows its end",
        "control character": "a string has an unescaped control character",
        "escape": "a string has an invalid escape sequence",
        "surrogate": "a string has half of a surrogate pair",
        "unicode": "it is not UTF-8",
        "utf-8": "it is not UTF-8",
    }
)
"""By what the parser's own sentences contain."""


class InvalidJsonError(ValueError):
    """The text is not JSON. The message says why and where, and continues ``The body ...`` or ``operations: ...``."""


def parse(text: str) -> Any:
    """The value that the text stands for.

    Raises:
        InvalidJsonError: it is not JSON, or more deeply nested than any request needs.
    """
    try:
        return from_json(text)
    except ValueError as error:
        raise InvalidJsonError(sentence(str(error))) from None


def sentence(reason: str) -> str:
    """Our words for the parser's."""
    cause = next((words for known, words in _REASONS.items() if known.lower() in reason.lower()), "it breaks")
    place = _PLACE.search(reason)
    return f"is not valid JSON: {cause}" + (f" at line {place[1]} column {place[2]}" if place else "")
