"""The part of a file that a request asks for (RFC 9110, section 14)."""

import re
from dataclasses import dataclass

from flask import Request
from werkzeug.exceptions import RequestedRangeNotSatisfiable

_RANGE = re.compile(r"(?i)bytes=(.*)")
_SPEC = re.compile(r"(?:(\d+)-(\d*)|-(\d+))", re.ASCII)
_MOST_DIGITS = 18
"""More than any file has; Python refuses to read numbers of thousands of digits."""


@dataclass(frozen=True, slots=True)
class Part:
    """Bytes of a file, from the first to the last."""

    first: int
    last: int


def requested_part(request: Request, size: int, etag: str) -> Part | None:
    """The part that a request asks for, or None where it is to have the whole file.

    That is so without a Range, with one that is malformed or of another unit, with several satisfiable ones, with any
    method but GET, and where If-Range names another file: in all these cases a server may or must ignore Range.

    Raises:
        RequestedRangeNotSatisfiable: the file is shorter than every range.
    """
    header = request.headers.get("Range", "")
    given = _RANGE.fullmatch(header.strip())
    if request.method != "GET" or given is None or not _if_range_holds(request, etag):
        return None
    specs = [_SPEC.fullmatch(text) for item in given[1].split(",") if (text := item.strip(" \t"))]
    if not specs or not all(specs):
        return None
    parts = []
    for spec in specs:
        first, last, suffix = (_number(digits) for digits in spec.groups())  # type: ignore[union-attr]
        if first is not None and last is not None and last < first:
            return None
        parts.append(_part(first, last, suffix, size))
    satisfiable = [part for part in parts if part]
    if not satisfiable:
        raise RequestedRangeNotSatisfiable(size)
    return satisfiable[0] if len(satisfiable) == 1 else None


def _if_range_holds(request: Request, etag: str) -> bool:
    """Whether If-Range is left out or names this file. A weak tag names none, and no date does: files have none."""
    given = request.headers.get("If-Range")
    return given is None or given.strip() == f'"{etag}"'


def _number(digits: str | None) -> int | None:
    return int(digits.lstrip("0")[:_MOST_DIGITS] or "0") if digits else None


def _part(first: int | None, last: int | None, suffix: int | None, size: int) -> Part | None:
    if suffix is not None:
        return Part(max(0, size - suffix), size - 1) if suffix and size else None
    if first is None or first >= size:
        return None
    return Part(first, size - 1 if last is None else min(last, size - 1))
