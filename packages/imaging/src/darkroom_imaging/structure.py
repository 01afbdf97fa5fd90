"""The structure of each format: where the size stands, and whether the file ends before the format says so.

Nothing is decoded. A walk calls a file cut off only where the end is certain to be missing; what it cannot tell is left
to the decoder.
"""

import struct
from collections.abc import Callable, Mapping
from types import MappingProxyType

from darkroom_contracts.formats import ImageFormat

from darkroom_imaging import bmp_header, boxes, tiff_directory
from darkroom_imaging.scanning import BrokenError, Scanner, TruncatedError

_TAIL = 1024
_ALONE = frozenset({0x01, *range(0xD0, 0xD8)})
"""Markers of a JPEG without a length."""
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
"""Markers of a JPEG that begin a frame, whose header has its size."""


def walk(scanner: Scanner, name: ImageFormat) -> None:
    """Find the image's size, and walk the file's structure to its end.

    Raises:
        TruncatedError: the end is missing.
        BrokenError: it is not built as its format wants it.
        UnsupportedError: it is of a kind that is not read.
        BudgetSpentError: it has more parts than are looked at.
    """
    _WALKS[name](scanner)


def _jpeg(scanner: Scanner) -> None:
    """ITU-T T.81, annex B: marker segments up to the first scan, after which there is an end-of-image marker.

    Thumbnails have such a marker, too, but lie within the segments before the scan.
    """
    scanner.skip(2)
    while (marker := _marker(scanner)) != 0xDA:
        if marker == 0xD9:
            return
        if marker in _ALONE:
            continue
        length = int.from_bytes(scanner.take(2), "big") - 2
        if marker in _FRAMES and length >= 5:
            header = scanner.take(5)
            scanner.size = int.from_bytes(header[3:], "big"), int.from_bytes(header[1:3], "big")
            length -= 5
        scanner.skip(max(length, 0))
    scan = scanner.tell()
    scanner.seek(max(scan, scanner.length - _TAIL))
    if b"\xff\xd9" not in scanner.read(_TAIL):  # nearly always, the marker is the last of the file
        scanner.seek(scan)
        scanner.find(b"\xff\xd9")


def _marker(scanner: Scanner) -> int:
    while True:
        scanner.step()
        scanner.find(b"\xff")  # decoders skip what stands between segments
        scanner.skip_run(b"\xff")  # any number of fill bytes
        if marker := scanner.take(1)[0]:
            return marker


def _png(scanner: Scanner) -> None:
    """ISO/IEC 15948, 5.3: chunks of a length, a type, data and a checksum, the last of type IEND."""
    scanner.skip(8)
    header = scanner.take(16)
    if header[4:8] != b"IHDR":
        raise BrokenError
    scanner.size = int.from_bytes(header[8:12], "big"), int.from_bytes(header[12:], "big")
    scanner.seek(8)
    while True:
        scanner.step()
        start = scanner.take(8)
        if start[4:] == b"IEND":
            return
        scanner.skip(int.from_bytes(start[:4], "big") + 4)


def _gif(scanner: Scanner) -> None:
    """GIF89a: blocks up to the trailer 0x3B. Files that end between blocks without one exist and can be shown."""
    scanner.skip(6)
    screen = scanner.take(4)
    width, height = int.from_bytes(screen[:2], "little"), int.from_bytes(screen[2:], "little")
    if width and height:
        scanner.size = width, height
    _colour_table(scanner)
    while (introducer := scanner.read(1)) and introducer != b"\x3b":
        scanner.step()
        if introducer == b"\x2c":
            left, top, wide, high = struct.unpack("<HHHH", scanner.take(8))
            # Where the size of the screen is left out, the first frame tells it.
            scanner.size = scanner.size or (width or left + wide, height or top + high)
            _colour_table(scanner, after=0)
            scanner.skip(1)
        elif introducer == b"\x21":
            scanner.skip(1)
        else:
            return
        while length := scanner.take(1)[0]:
            scanner.step()
            scanner.skip(length)


def _colour_table(scanner: Scanner, *, after: int = 2) -> None:
    packed = scanner.take(1)[0]
    table = 3 * 2 ** ((packed & 7) + 1) if packed & 0x80 else 0
    scanner.skip(after + table)


def _webp(scanner: Scanner) -> None:
    """RFC 9649, 2.4: the RIFF header names the number of bytes after its first eight. Some omit the last padding."""
    scanner.skip(4)
    announced = int.from_bytes(scanner.take(4), "little") + 8
    scanner.skip(4)
    kind, _, data = scanner.take(4), scanner.take(4), scanner.take(10)
    if kind == b"VP8X":
        scanner.size = int.from_bytes(data[4:7], "little") + 1, int.from_bytes(data[7:], "little") + 1
    elif kind == b"VP8L" and data[0] == 0x2F:
        bits = int.from_bytes(data[1:5], "little")
        scanner.size = (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    elif kind == b"VP8 " and data[3:6] == b"\x9d\x01\x2a":
        scanner.size = int.from_bytes(data[6:8], "little") & 0x3FFF, int.from_bytes(data[8:], "little") & 0x3FFF
    else:
        raise BrokenError
    if announced > scanner.length + 1:
        scanner.skip(announced)


def _bmp(scanner: Scanner) -> None:
    """The rows of pixels come last, and how long they are is known where they are not compressed."""
    header = bmp_header.read(scanner)
    if header.compression == bmp_header.RAW and scanner.length < header.pixels_at + header.least_bytes:
        raise TruncatedError


_WALKS: Mapping[ImageFormat, Callable[[Scanner], None]] = MappingProxyType(
    {
        ImageFormat.JPEG: _jpeg,
        ImageFormat.PNG: _png,
        ImageFormat.GIF: _gif,
        ImageFormat.WEBP: _webp,
        ImageFormat.BMP: _bmp,
        ImageFormat.TIFF: tiff_directory.walk,
        ImageFormat.AVIF: boxes.walk,
        ImageFormat.HEIC: boxes.walk,
    }
)
