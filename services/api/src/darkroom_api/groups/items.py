"""The items of a JSON request: images as data URIs or base64."""

import base64
import binascii
import re
from urllib.parse import unquote_to_bytes

from darkroom_imaging.errors import InvalidImageDataError

_DATA_URI = re.compile(r"(?i)data:(?P<type>[^,]{0,200}),")
_WHITE_SPACE = str.maketrans("", "", " \t\r\n")


def decode(text: str) -> bytes:
    """The bytes of an item (data URIs: RFC 2397).

    Raises:
        InvalidImageDataError: it is neither a data URI nor base64.
    """
    uri = _DATA_URI.match(text)
    if uri is None:
        return _from_base64(text)
    data = text[uri.end() :]
    return _from_base64(data) if uri["type"].lower().endswith(";base64") else unquote_to_bytes(data)


def _from_base64(text: str) -> bytes:
    try:
        return base64.b64decode(text.translate(_WHITE_SPACE), validate=True)
    except (binascii.Error, ValueError):
        raise InvalidImageDataError("It is neither a data URI nor base64.") from None
