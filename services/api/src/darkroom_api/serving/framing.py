"""Where a request's head and body end.

This only decides when to look: what they say is for gunicorn's parser alone to decide, so nothing is read in two ways.
"""

from typing import Any

from gunicorn.http.body import ChunkedReader, LengthReader  # type: ignore[import-untyped]  # it ships no types

MAX_HEAD = 32 * 1024
"""Bytes of a request line with all its headers."""
_MAX_LINE = 16 * 1024
_LINE_END = b"\r\n"


def head_is_ready(data: bytes | bytearray) -> bool:
    """Whether the parser can tell what to make of this, be it that it is wrong."""
    return b"\r\n\r\n" in data or data.count(b"\n") != data.count(_LINE_END)


class BodyEnd:
    """Finds out whether a body is there in whole."""

    missing: int | None
    """Bytes that are still to come, where that is known."""
    is_complete: bool

    def feed(self, data: bytes | memoryview) -> None:
        """Look at what comes next."""
        raise NotImplementedError


class LengthEnd(BodyEnd):
    """The end of a body whose length was told."""

    def __init__(self, length: int) -> None:
        self.missing: int = length

    @property
    def is_complete(self) -> bool:  # type: ignore[override]
        return self.missing <= 0

    def feed(self, data: bytes | memoryview) -> None:
        self.missing -= len(data)


class ChunkedEnd(BodyEnd):
    """The end of a body in chunks (RFC 9112, section 7.1). What breaks the rules counts as one: it gets no better."""

    def __init__(self) -> None:
        self.missing = None
        self.is_complete = False
        self._skip = 0
        self._line = b""
        self._trailers = 0
        self._in_trailers = False

    def feed(self, data: bytes | memoryview) -> None:
        data, position = bytes(data), 0
        while position < len(data) and not self.is_complete:
            if self._skip:
                step = min(self._skip, len(data) - position)
                self._skip -= step
                position += step
                continue
            end = data.find(b"\n", position) + 1 or len(data)
            self._line += data[position:end]
            position = end
            if self._line.endswith(b"\n"):
                line, self._line = self._line, b""
                self._read_line(line)
            elif len(self._line) > _MAX_LINE:
                self.is_complete = True

    def _read_line(self, line: bytes) -> None:
        if self._in_trailers:
            self._trailers += len(line)
            self.is_complete = line == _LINE_END or self._trailers > MAX_HEAD
            return
        try:
            size = int(line.partition(b";")[0], 16)
        except ValueError:
            size = -1
        self._skip = size + len(_LINE_END) if size > 0 else 0
        self._in_trailers = size == 0
        self.is_complete = size < 0


def body_end(request: Any) -> BodyEnd:
    """What tells the end of this request's body, by the reader that gunicorn's parser has chosen for it."""
    reader = request.body.reader
    if isinstance(reader, ChunkedReader):
        return ChunkedEnd()
    if isinstance(reader, LengthReader):
        return LengthEnd(reader.length)
    raise TypeError(f"unknown reader of bodies: {reader!r}")
