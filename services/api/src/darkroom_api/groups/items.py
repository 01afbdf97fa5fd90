"""The items of a JSON request: images as data URIs or base64."""

import base64
import binascii
import re

from darkroom_imaging.errors import InvalidImageDataError

_DATA_URI = re.compile(r"(?i)\s*data:(?P<type>[^,]{0,2000}),")
_BROKEN_ESCAPE = re.compile(rb"%(?![0-9A-Fa-f]{2})")
_WHITE_SPACE = b" \t\r\n\f"
_LINE_BREAKS = b"\t\r\n"


def decode(text: str) -> bytes:
    """The bytes of an item (data URIs: RFC 2397, read as browsers do).

    Raises:
        InvalidImageDataError: it is neither a data URI nor base64.
    """
    try:
        uri = _DATA_URI.match(text)
        if uri is None:
            return base64.b64decode(_without(text.encode("ascii"), _WHITE_SPACE), validate=True)
        data = _unescaped(text[uri.end() :].partition("#")[0].encode("ascii"))
        _, semicolon, last_parameter = uri["type"].rpartition(";")
        if not semicolon or last_parameter.strip().lower() != "base64":
            return data
        data = _without(data, _WHITE_SPACE)
        return base64.b64decode(data + b"=" * (-len(data) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise InvalidImageDataError("It is neither a data URI nor base64.") from None


def _without(data: bytes, characters: bytes) -> bytes:
    return data.translate(None, characters)


def _unescaped(data: bytes) -> bytes:
    """Resolve percent-encoding, in memory of the order of the text even where all of it is escaped.

    Raises:
        ValueError: an escape is incomplete.
    """
    data = _without(data, _LINE_BREAKS)
    if b"%" not in data:
        return data
    if _BROKEN_ESCAPE.search(data):
        raise ValueError("an escape is incomplete")
    # Quoted-printable is the same with another sign, and the standard library decodes it without a list of pieces.
    return binascii.a2b_qp(data.replace(b"=", b"%3D").replace(b"%", b"="))
