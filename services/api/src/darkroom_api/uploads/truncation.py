"""Whether a file ends before its format says so, told from its structure alone, without decoding anything.

Each check walks the outermost structure of its format and raises ``TruncatedError`` only where the end is certain to
be missing. What it cannot tell is left to the decoder.
"""

import os
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import BinaryIO

from darkroom_contracts.formats import ImageFormat

_CHUNK = 1 << 16
_TAIL = 1024


class TruncatedError(Exception):
    """The file ends too early."""


def check_complete(file: BinaryIO, form: ImageFormat) -> None:
    """Walk the file's structure to its end.

    Raises:
        TruncatedError: the end is missing.
    """
    if check := _CHECKS.get(form):
        size = file.seek(0, os.SEEK_END)
        file.seek(0)
        check(file, size)


def _take(file: BinaryIO, count: int) -> bytes:
    data = file.read(count)
    if len(data) < count:
        raise TruncatedError
    return data


def _skip(file: BinaryIO, count: int, size: int) -> None:
    if file.seek(count, os.SEEK_CUR) > size:
        raise TruncatedError


def _jpeg(file: BinaryIO, size: int) -> None:
    """ITU-T T.81, annex B: marker segments up to the first scan, after which there is an end-of-image marker.

    Thumbnails have such a marker, too, but lie within the segments before the scan.
    """
    file.seek(2)
    while (marker := _marker(file)) != 0xDA:
        if marker == 0xD9:
            return
        if not (0xD0 <= marker <= 0xD7 or marker == 0x01):  # these stand alone
            _skip(file, int.from_bytes(_take(file, 2), "big") - 2, size)
    scan = file.tell()
    file.seek(max(scan, size - _TAIL))
    if b"\xff\xd9" in file.read():
        return  # nearly always: the marker is the last of the file
    file.seek(scan)
    before = b""
    while chunk := file.read(_CHUNK):
        if b"\xff\xd9" in before + chunk:
            return
        before = chunk[-1:]
    raise TruncatedError


def _marker(file: BinaryIO) -> int:
    while _take(file, 1) != b"\xff":
        pass  # decoders skip what stands between segments
    while (byte := _take(file, 1)) == b"\xff":
        pass  # any number of fill bytes
    return byte[0]


def _png(file: BinaryIO, size: int) -> None:
    """ISO/IEC 15948, 5.3: chunks of a length, a type, data and a checksum, the last of type IEND."""
    file.seek(8)
    while True:
        length = int.from_bytes(_take(file, 4), "big")
        if _take(file, 4) == b"IEND":
            return
        _skip(file, length + 4, size)


def _gif(file: BinaryIO, size: int) -> None:
    """GIF89a: blocks up to the trailer 0x3B. Files that end between blocks without one exist and can be shown."""
    file.seek(10)
    _colour_table(file, size)
    while (introducer := file.read(1)) and introducer != b"\x3b":
        if introducer == b"\x2c":
            _skip(file, 8, size)
            _colour_table(file, size, after=0)
            _skip(file, 1, size)
        elif introducer == b"\x21":
            _skip(file, 1, size)
        else:
            return
        while length := _take(file, 1)[0]:
            _skip(file, length, size)


def _colour_table(file: BinaryIO, size: int, *, after: int = 2) -> None:
    packed = _take(file, 1)[0]
    table = 3 * 2 ** ((packed & 7) + 1) if packed & 0x80 else 0
    _skip(file, after + table, size)


def _webp(file: BinaryIO, size: int) -> None:
    """RFC 9649, 2.4: the RIFF header names the number of bytes after its first eight. Some omit the last padding."""
    file.seek(4)
    if int.from_bytes(_take(file, 4), "little") + 8 > size + 1:
        raise TruncatedError


def _boxes(file: BinaryIO, size: int) -> None:
    """ISO/IEC 14496-12, 4.2: boxes of a length and a type. 0 is up to the end, 1 has the length in 8 bytes more."""
    start = 0
    while start < size:
        file.seek(start)
        header = _take(file, 8)
        length = int.from_bytes(header[:4], "big")
        if length == 0:
            return
        if length == 1:
            length = int.from_bytes(_take(file, 8), "big")
        if length < 8:
            return
        start += length
    if start > size:
        raise TruncatedError


_CHECKS: Mapping[ImageFormat, Callable[[BinaryIO, int], None]] = MappingProxyType(
    {
        ImageFormat.JPEG: _jpeg,
        ImageFormat.PNG: _png,
        ImageFormat.GIF: _gif,
        ImageFormat.WEBP: _webp,
        ImageFormat.AVIF: _boxes,
    }
)
