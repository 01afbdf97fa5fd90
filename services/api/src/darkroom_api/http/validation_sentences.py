"""What is wrong with a value, in sentences of ours: those of pydantic are written for programmers in Python."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, get_args

from darkroom_contracts.operations import OPERATIONS
from pydantic_core import ErrorDetails
from pydantic_core.core_schema import ErrorType

KNOWN_TYPES = frozenset(get_args(ErrorType))
"""What pydantic itself finds; every other type of mistake, and its sentence, is ours."""

_STRING = "must be a string"
_NUMBER = "must be a number"
_WHOLE = "must be a whole number"
_LIST = "must be a list"
_OBJECT = "must be an object"
_FLAG = "must be true or false"
_OTHERWISE = "is not valid"

_SENTENCES: Mapping[str, str] = MappingProxyType(
    {
        "missing": "is missing",
        "extra_forbidden": "there is no such member",
        "union_tag_not_found": "`op` is missing",
        "union_tag_invalid": f"there is no operation {{tag!r}}; there are {', '.join(OPERATIONS)}",
        "string_type": _STRING,
        "string_unicode": "must be Unicode text",
        "string_too_short": "must have at least {min_length:,} characters",
        "string_too_long": "must have at most {max_length:,} characters",
        "string_pattern_mismatch": "has the wrong format; it must match {pattern}",
        "bool_type": _FLAG,
        "bool_parsing": _FLAG,
        "int_type": _WHOLE,
        "int_parsing": _WHOLE,
        "int_parsing_size": "has too many digits",
        "int_from_float": _WHOLE,
        "float_type": _NUMBER,
        "float_parsing": _NUMBER,
        "finite_number": "must be a finite number",
        "greater_than": "must be greater than {gt:,}",
        "greater_than_equal": "must be at least {ge:,}",
        "less_than": "must be less than {lt:,}",
        "less_than_equal": "must be at most {le:,}",
        "multiple_of": "must be a multiple of {multiple_of}",
        "list_type": _LIST,
        "tuple_type": _LIST,
        "too_short": "needs at least {min_length:,} items",
        "too_long": "can have at most {max_length:,} items",
        "dict_type": _OBJECT,
        "model_type": _OBJECT,
        "model_attributes_type": _OBJECT,
        "literal_error": "must be {expected}",
        "enum": "must be {expected}",
        "none_required": "must be null",
        "value_error": "{error}",
        "assertion_error": "{error}",
    }
)


def message(mistake: ErrorDetails) -> str:
    """Say what is wrong."""
    kind, context = mistake["type"], mistake.get("ctx", {})
    if kind not in KNOWN_TYPES:
        return mistake["msg"]
    return _singular(_SENTENCES.get(kind, _OTHERWISE).format(**_readable(context)))


def _readable(context: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _without_fraction(value) for name, value in context.items()}


def _without_fraction(value: Any) -> Any:
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _singular(sentence: str) -> str:
    """The sentence, where it is about one item or character."""
    return sentence.removesuffix("s") if sentence.endswith((" 1 items", " 1 characters")) else sentence
