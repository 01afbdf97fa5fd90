"""Operations as they are written on a command line: `resize:width=1200,fit=cover`."""

import json
import re
from collections.abc import Mapping
from typing import Any

_NAME = re.compile(r"[a-z_]+")
_OPENING, _CLOSING = "[{", "]}"


def parse_operation(text: str) -> dict[str, Any]:
    """Return the operation that a text stands for.

    A value is a number, `true`, `false`, `null`, a list or an object as in JSON, or else a text, which may be quoted.
    The whole may also be an operation as in JSON.

    Raises:
        ValueError: it cannot be read; the message is a sentence.
    """
    text = text.strip()
    if text.startswith("{"):
        try:
            operation = json.loads(text)
        except ValueError:
            raise ValueError(f"{text} is not valid JSON.") from None
        if not isinstance(operation, dict) or not isinstance(operation.get("op"), str):
            raise ValueError(f'{text} has no "op".')
        return operation
    name, colon, rest = text.partition(":")
    if not _NAME.fullmatch(name):
        raise ValueError(f"{text!r} is not an operation. Expected something like resize:width=1200 or grayscale.")
    members: dict[str, Any] = {"op": name}
    if not colon:
        return members
    for argument in _split(rest):
        key, equals, value = argument.partition("=")
        if not equals or not _NAME.fullmatch(key.strip()):
            raise ValueError(f"{argument!r} in {text!r} is not an argument. Expected something like width=1200.")
        if key.strip() in members:
            raise ValueError(f"{key.strip()} is given twice in {text!r}.")
        members[key.strip()] = _value(value.strip())
    return members


def parse_output(text: str) -> tuple[str, dict[str, Any] | None]:
    """Return the name of an output and one of its operations, of `thumb=resize:width=200`; None for `full=`.

    Raises:
        ValueError: it cannot be read; the message is a sentence.
    """
    name, equals, operation = text.partition("=")
    if not equals or not name or ":" in name or "{" in name:
        raise ValueError(f"{text!r} is not an output. Expected something like thumb=resize:width=200.")
    return name, parse_operation(operation) if operation else None


def format_operation(operation: Mapping[str, Any]) -> str:
    """Return the text that an operation is written as."""
    arguments = [f"{key}={_text(value)}" for key, value in operation.items() if key != "op" and value is not None]
    return f"{operation.get('op')}:{','.join(arguments)}" if arguments else str(operation.get("op"))


def _text(value: Any) -> str:
    if isinstance(value, str) and _value(value) == value and not set(value) & set(",[]{}"):
        return value
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _split(text: str) -> list[str]:
    """The arguments: parted by commas that are in no brackets and no quotes."""
    parts, depth, is_quoted, is_escaped = [""], 0, False, False
    for sign in text:
        if sign == "," and not depth and not is_quoted:
            parts.append("")
            continue
        parts[-1] += sign
        if is_escaped:
            is_escaped = False
        elif is_quoted and sign == "\\":
            is_escaped = True
        elif sign == '"':
            is_quoted = not is_quoted
        elif not is_quoted:
            depth += (sign in _OPENING) - (sign in _CLOSING)
    return parts
