"""Keeping out of logs and of Flower what is as good as a password."""

import re
from typing import Any

_ID = re.compile(r"(?<![0-9A-Za-z])([0-9a-f]{8})[0-9a-f]{24}(?![0-9A-Za-z])")
"""The id of a group, an upload or an email: 32 hexadecimal digits."""
_TOKEN = re.compile(r"(/(?:confirm|unsubscribe)/)[^\s/?#\"']+")
"""The signed part of a link in an email."""


def shorten_ids(value: Any) -> Any:
    """The value with each secret id in it cut to its first eight characters, enough to follow a group by."""
    match value:
        case str():
            return _TOKEN.sub(r"\1…", _ID.sub(r"\1…", value))
        case dict():
            return {shorten_ids(name): shorten_ids(member) for name, member in value.items()}
        case list() | tuple() | set() | frozenset():
            return [shorten_ids(member) for member in value]
        case BaseException() | bytes():
            return shorten_ids(str(value))
        case _:
            return value
