"""BMPs of every depth, with whatever masks, brought to eight bits as all other formats are.

Pillow knows few masks, cuts levels instead of rounding them, and takes a compressed image for damaged that ends early,
as its format allows.
"""

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from darkroom_imaging.bmp_header import RAW, RLE4, Header, read
from darkroom_imaging.deferred import DeferredImage
from darkroom_imaging.levels import Bytes, to_eight_bits
from darkroom_imaging.scanning import Budget, Scanner, TruncatedError

_ROWS = 128
_END_OF_LINE, _END, _MOVE = 0, 1, 2


def opened(source: bytes) -> Image.Image:
    """The image, not decoded yet.

    Raises:
        TruncatedError, BrokenError, UnsupportedError: its header cannot be read.
    """
    header = read(Scanner(io.BytesIO(source), Budget()))
    return DeferredImage((header.width, header.height), {}, lambda: _decoded(source, header))


def _decoded(source: bytes, header: Header) -> Image.Image:
    rows = _rows(source, header) if header.compression == RAW else _unpacked(source, header)
    if not header.top_down:
        rows = rows[::-1]
    palette = _palette(source, header) if header.colours else None
    channels = (3 + bool(header.masks[3])) if palette is None else palette.shape[1]
    pixels = np.empty((header.height, header.width, channels), np.uint8)
    for top in range(0, header.height, _ROWS):
        band = rows[top : top + _ROWS]
        pixels[top : top + _ROWS] = _by_masks(band, header) if palette is None else _by_palette(band, header, palette)
    return Image.fromarray(pixels[..., 0] if channels == 1 else pixels)


def _rows(source: bytes, header: Header) -> Bytes:
    """The bytes of the rows."""
    length = header.row_bytes * header.height
    data = source[header.pixels_at : header.pixels_at + length]
    if len(data) < header.least_bytes:
        raise TruncatedError
    return np.frombuffer(data.ljust(length, b"\0"), np.uint8).reshape(header.height, -1)


def _by_masks(band: Bytes, header: Header) -> Bytes:
    size = header.bits // 8
    numbers = np.ascontiguousarray(band[:, : header.width * size]).reshape(len(band), header.width, size)
    result = np.empty((len(band), header.width, 3 + bool(header.masks[3])), np.uint8)
    whole: NDArray[np.uint32] | None = None
    for channel in range(result.shape[2]):
        mask = header.masks[channel]
        low = (mask & -mask).bit_length() - 1
        if mask == 0:
            result[..., channel] = 0
        elif mask >> low == 0xFF and low % 8 == 0:
            result[..., channel] = numbers[..., low // 8]
        else:
            if whole is None:
                padded = np.zeros((*numbers.shape[:2], 4), np.uint8)
                padded[..., :size] = numbers
                whole = padded.view("<u4")[..., 0]
            levels = whole >> low & mask >> low
            result[..., channel] = to_eight_bits(levels, mask >> low)
    return result


def _palette(source: bytes, header: Header) -> Bytes:
    """The colours, or the levels of grey where they are no others. What the file has not, is black."""
    data = source[header.palette_at : header.palette_at + header.colours * header.colour_bytes]
    whole = np.frombuffer(data[: len(data) // header.colour_bytes * header.colour_bytes], np.uint8)
    known = whole.reshape(-1, header.colour_bytes)[: 1 << header.bits, 2::-1]
    colours = np.zeros((1 << header.bits, 3), np.uint8)
    colours[: len(known)] = known
    is_grey = (known == known[:, :1]).all()
    return colours[:, :1] if is_grey else colours


def _by_palette(band: Bytes, header: Header, palette: Bytes) -> Bytes:
    if header.bits < 8 and header.compression == RAW:
        each = 8 // header.bits
        shifts = np.arange(8 - header.bits, -1, -header.bits, dtype=np.uint8)
        parts = (band[..., None] >> shifts & (1 << header.bits) - 1).astype(np.uint8)
        band = parts.reshape(len(band), band.shape[1] * each)
    return palette[band[:, : header.width]]


def _unpacked(source: bytes, header: Header) -> Bytes:
    """The numbers of the colours of a run-length encoded image, a byte each. What it passes over has number 0."""
    wide, high = header.width, header.height
    pixels = bytearray(wide * high)
    four = header.compression == RLE4
    at, column, row = header.pixels_at, 0, 0
    while row < high:
        if at + 2 > len(source):
            raise TruncatedError
        count, value = source[at], source[at + 1]
        at += 2
        if count:
            run = (bytes((value >> 4, value & 15)) * 128)[:count] if four else bytes((value,)) * count
        elif value == _END:
            break
        elif value == _END_OF_LINE:
            column, row = 0, row + 1
            continue
        elif value == _MOVE:
            if at + 2 > len(source):
                raise TruncatedError
            column, row = column + source[at], row + source[at + 1]
            at += 2
            continue
        else:
            run, at = _literal(source, at, value, four=four)
        start = row * wide + column
        run = run[: max(0, wide - column)]
        pixels[start : start + len(run)] = run
        column += len(run)
        if column == wide and row == high - 1:
            break  # nothing can follow, and some leave out the mark of the end
    return np.frombuffer(pixels, np.uint8).reshape(high, wide)


def _literal(source: bytes, at: int, count: int, *, four: bool) -> tuple[bytes, int]:
    """Pixels that stand as they are, filled up to 16 bits, and where the next command is."""
    length = (count + 1) // 2 if four else count
    data = source[at : at + length]
    if len(data) < length:
        raise TruncatedError
    pixels = bytes(part for byte in data for part in (byte >> 4, byte & 15))[:count] if four else data
    return pixels, at + length + length % 2
