"""The header of a BMP, of Windows and of OS/2: what its pixels are, read without decoding any."""

import struct
from dataclasses import dataclass

from darkroom_imaging.scanning import BrokenError, Scanner, UnsupportedError

_FILE_HEADER = 14
_CORE, _INFO = 12, 40
_OF_WINDOWS = frozenset({40, 52, 56, 108, 124})
_OF_OS2 = range(16, 65)
"""The lengths of the header of OS/2 2, which may be cut anywhere behind the depth."""
RAW, RLE8, RLE4, _BIT_FIELDS, _JPEG, _PNG, _ALPHA_BIT_FIELDS = range(7)
_CMYK = frozenset({11, 12, 13})
_PALETTE_DEPTHS = frozenset({1, 2, 4, 8})
_MASKS = {
    16: (0x7C00, 0x03E0, 0x001F, 0),
    24: (0xFF0000, 0xFF00, 0xFF, 0),
    32: (0xFF0000, 0xFF00, 0xFF, 0),
}
_MASKS_WITH_OPACITY = (0xFF0000, 0xFF00, 0xFF, 0xFF000000)
"""Of 32 bits whose masks are all empty."""
_MAX_COLOURS = 65_536


@dataclass(frozen=True, slots=True)
class Header:
    """How the pixels are written down."""

    width: int
    height: int
    top_down: bool
    bits: int
    compression: int
    masks: tuple[int, int, int, int]
    """The bits of red, green, blue and opacity; 0 where there are none. Without meaning where there is a palette."""
    palette_at: int
    colours: int
    """Of the palette; 0 where there is none."""
    colour_bytes: int
    pixels_at: int

    @property
    def row_bytes(self) -> int:
        """Of a row that is not compressed, which is filled up to 32 bits."""
        return (self.width * self.bits + 31) // 32 * 4

    @property
    def least_bytes(self) -> int:
        """Of all rows that are not compressed. Some writers do not fill up the last one."""
        return self.row_bytes * (self.height - 1) + (self.width * self.bits + 7) // 8


def read(scanner: Scanner) -> Header:
    """The header of a BMP.

    Raises:
        TruncatedError: the file ends before it does.
        BrokenError: it makes no sense.
        UnsupportedError: it is of a kind that is not read.
    """
    scanner.seek(10)
    (pixels_at, length) = struct.unpack("<II", scanner.take(8))
    if length < _CORE or length > scanner.length:
        raise BrokenError
    if length == _CORE:
        width, height, planes, bits = struct.unpack("<HHHH", scanner.take(8))
        compression, colours, masks = RAW, 0, bytes(16)
    else:
        data = scanner.take(min(length, 124) - 4).ljust(_INFO - 4, b"\0")
        width, height, planes, bits, compression, colours = struct.unpack("<iiHHI12xI4x", data[: _INFO - 4])
        masks = data[_INFO - 4 : 52]
    if width < 1 or height == 0 or planes != 1:
        raise BrokenError
    scanner.size = width, abs(height)
    _check_is_read(length, bits, compression)
    if len(masks) < 12 and compression in (_BIT_FIELDS, _ALPHA_BIT_FIELDS):
        masks = scanner.take(16 if compression == _ALPHA_BIT_FIELDS else 12)
    colours = (colours or 1 << bits) if bits in _PALETTE_DEPTHS else 0
    if colours > _MAX_COLOURS:
        raise BrokenError
    palette_at, colour_bytes = scanner.tell(), 3 if length == _CORE else 4
    behind = palette_at + colours * colour_bytes
    # Some writers leave the palette out when they say where the pixels are.
    named = pixels_at and not (colours and pixels_at == _FILE_HEADER + length)
    return Header(
        width,
        abs(height),
        height < 0,
        bits,
        RAW if compression in (_BIT_FIELDS, _ALPHA_BIT_FIELDS) else compression,
        _masks(bits, masks) if compression in (_BIT_FIELDS, _ALPHA_BIT_FIELDS) else _MASKS.get(bits, (0, 0, 0, 0)),
        palette_at,
        colours,
        colour_bytes,
        pixels_at if named else behind,
    )


def _check_is_read(length: int, bits: int, compression: int) -> None:
    if length not in _OF_WINDOWS and length != _CORE and length not in _OF_OS2:
        raise UnsupportedError(f"a header of {length:,} bytes")
    if length in _OF_OS2 and length not in _OF_WINDOWS and compression in (3, 4):
        raise UnsupportedError("Huffman or RLE24 compression of OS/2")
    if compression in (_JPEG, _PNG):
        raise UnsupportedError(f"its pixels are a {'JPEG' if compression == _JPEG else 'PNG'}")
    if compression in _CMYK:
        raise UnsupportedError("its colours are CMYK")
    if compression > _ALPHA_BIT_FIELDS:
        raise UnsupportedError(f"compression {compression}")
    if bits == 64:
        raise UnsupportedError("64 bits per pixel")
    depths = {RAW: {*_PALETTE_DEPTHS, *_MASKS}, RLE8: {8}, RLE4: {4}}
    if bits not in depths.get(compression, set(_MASKS)):
        raise BrokenError


def _masks(bits: int, data: bytes) -> tuple[int, int, int, int]:
    red, green, blue, opacity = (mask & (1 << bits) - 1 for mask in struct.unpack("<IIII", data[:16].ljust(16, b"\0")))
    masks = red, green, blue, opacity
    if not any(masks):
        return _MASKS_WITH_OPACITY if bits == 32 else _MASKS[bits]
    for mask in masks:
        if mask and (mask // (mask & -mask)) & (mask // (mask & -mask) + 1):
            raise UnsupportedError("colour masks with gaps")
    return masks
