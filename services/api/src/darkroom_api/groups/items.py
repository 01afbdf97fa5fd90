"""The items of a JSON request: images as data URIs or base64."""

import base64
import binascii
import re
from collections.abc import Iterable, Iterator

from darkroom_imaging.errors import InvalidImageDataError

_DATA_URI = re.compile(r"(?i)\s*data:(?P<type>[^,]{0,2000}),")
_BROKEN_ESCAPE = re.compile(rb"%(?![0-9A-Fa-f]{2})")
_WHITE_SPACE = b" \t\r\n\f"
_LINE_BREAKS = b"\t\r\n"
_PIECE = 1 << 20
"""Characters that are decoded at a time."""


def decode(text: str) -> Iterator[bytes]:
    """The bytes of an item in pieces (data URIs: RFC 2397, read as browsers do). It never holds a second copy of it.

    Raises:
        InvalidImageDataError: neither a data URI nor base64, which may show only at its very end.
    """
    try:
        yield from _decoded(text)
    except (binascii.Error, ValueError):
        raise InvalidImageDataError("Expected a data URI or base64 data.") from None


def _decoded(text: str) -> Iterator[bytes]:
    uri = _DATA_URI.match(text)
    if uri is None:
        return _from_base64(_ascii(text, 0, len(text)))
    fragment = text.find("#", uri.end())
    data = _unescaped(_ascii(text, uri.end(), len(text) if fragment < 0 else fragment))
    _, semicolon, last_parameter = uri["type"].rpartition(";")
    if not semicolon or last_parameter.strip().lower() != "base64":
        return data
    return _from_base64(data, may_lack_padding=True)


def _ascii(text: str, start: int, end: int) -> Iterator[bytes]:
    for position in range(start, end, _PIECE):
        yield text[position : min(end, position + _PIECE)].encode("ascii")


def _from_base64(pieces: Iterable[bytes], *, may_lack_padding: bool = False) -> Iterator[bytes]:
    rest = b""
    for piece in pieces:
        rest += piece.translate(None, _WHITE_SPACE)
        end = max(0, len(rest) - 1) // 4 * 4  # the last group is held back: it alone may be padded
        whole, rest = rest[:end], rest[end:]
        if b"=" in whole:
            raise ValueError("something follows the padding")
        yield base64.b64decode(whole, validate=True)
    if may_lack_padding:
        rest += b"=" * (-len(rest) % 4)
    yield base64.b64decode(rest, validate=True)


def _unescaped(pieces: Iterable[bytes]) -> Iterator[bytes]:
    rest = b""
    for piece in pieces:
        data = rest + piece.translate(None, _LINE_BREAKS)
        begun = data.rfind(b"%", max(0, len(data) - 2))  # an escape of which more may come
        end = len(data) if begun < 0 else begun
        data, rest = data[:end], data[end:]
        yield _resolved(data)
    yield _resolved(rest)


def _resolved(data: bytes) -> bytes:
    """Resolve percent-encoding, in memory of the order of the text even where all of it is escaped.

    Raises:
        ValueError: an escape is incomplete.
    """
    if b"%" not in data:
        return data
    if _BROKEN_ESCAPE.search(data):
        raise ValueError("an escape is incomplete")
    # Quoted-printable is the same with another sign, and the standard library decodes it without a list of pieces.
    return binascii.a2b_qp(data.replace(b"=", b"%3D").replace(b"%", b"="))
