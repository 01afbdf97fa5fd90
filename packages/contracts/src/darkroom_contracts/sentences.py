"""What is wrong with a value, in sentences for whoever gave it: in a request, a pipeline or a setting.

Pydantic finds what is wrong; its own sentences are for programmers in Python and reach nobody.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

SENTENCE = "sentence"
"""The type of a mistake that comes with a sentence of ours, as ``sentence`` in its context."""

_KEY = "[key]"
"""What pydantic puts behind the name of a member where that name itself is wrong."""
_OTHERWISE = "is not valid"
_SENTENCES: Mapping[str, str] = MappingProxyType(
    {
        SENTENCE: "{sentence}",
        "missing": "is missing",
        "extra_forbidden": "unknown field",
        "union_tag_not_found": "{discriminator} is missing",
        "union_tag_invalid": "unknown operation {tag!r}; expected one of {expected_tags}",
        "string_unicode": "must be Unicode text",
        "string_too_short": "must have at least {min_length:,} characters",
        "string_too_long": "must have at most {max_length:,} characters",
        "string_pattern_mismatch": "has the wrong format; it must match {pattern}",
        "int_parsing_size": "has too many digits",
        "finite_number": "must be a finite number",
        "greater_than": "must be greater than {gt:,}",
        "greater_than_equal": "must be at least {ge:,}",
        "less_than": "must be less than {lt:,}",
        "less_than_equal": "must be at most {le:,}",
        "multiple_of": "must be a multiple of {multiple_of}",
        "too_short": "needs at least {min_length:,} items",
        "too_long": "can have at most {max_length:,} items",
        "literal_error": "must be {expected}",
        "enum": "must be {expected}",
        "none_required": "must be null",
        "url_scheme": "has an unsupported scheme",
        "value_error": "{error}",
        "assertion_error": "{error}",
    }
    | dict.fromkeys(("string_type", "string_sub_type"), "must be a string")
    | dict.fromkeys(("bool_type", "bool_parsing"), "must be true or false")
    | dict.fromkeys(("int_type", "int_parsing", "int_from_float"), "must be a whole number")
    | dict.fromkeys(("float_type", "float_parsing"), "must be a number")
    | dict.fromkeys(("list_type", "tuple_type"), "must be a list")
    | dict.fromkeys(("dict_type", "model_type", "model_attributes_type"), "must be an object")
    | dict.fromkeys(("url_type", "url_parsing", "url_syntax_violation", "url_too_long"), "must be a URL")
)


def sentence(kind: str, context: Mapping[str, Any]) -> str:
    """Say what is wrong, without a full stop.

    Args:
        kind: the type of the mistake, as pydantic names it, or ``SENTENCE``.
        context: what the mistake's ``ctx`` holds.
    """
    text = _SENTENCES.get(kind, _OTHERWISE).format(**{name: _readable(value) for name, value in context.items()})
    return text.removesuffix("s") if text.endswith((" 1 items", " 1 characters")) else text


def place(loc: Sequence[int | str], *, besides: frozenset[str] = frozenset()) -> str:
    """Where a mistake is, as one would write it in a program, such as ``operations[1].radius``.

    Args:
        loc: the mistake's ``loc``.
        besides: names that pydantic puts behind an index to say which kind of item it took it for.
    """
    path = ""
    for before, part in zip(("", *loc), loc, strict=False):
        if part == _KEY:
            continue
        if isinstance(part, int):
            path += f"[{part}]"
        elif not (isinstance(before, int) and part in besides):
            path += f".{part}" if path else part
    return path


def _readable(value: Any) -> Any:
    return int(value) if isinstance(value, float) and value.is_integer() else value
