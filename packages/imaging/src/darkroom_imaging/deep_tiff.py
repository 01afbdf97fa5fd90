"""TIFFs of the depths and kinds of pixels that Pillow does not know, or brings to eight bits in another way.

Pillow and libtiff only unpack: the file is described to them anew, as rows of plain bytes, and what the bytes mean is
told here.
"""

import io
import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image, TiffImagePlugin

from darkroom_imaging.deferred import DeferredImage
from darkroom_imaging.levels import Bytes, Levels, to_eight_bits
from darkroom_imaging.scanning import Budget, Scanner
from darkroom_imaging.tiff_directory import Directory, read

OPACITY = "darkroom_opacity"
"""Where an image's info holds the opacity that its mode has no room for."""
_COMPRESSIONS = frozenset({1, 5, 8, 32773, 32946, 34925, 50000})
"""Those that unpack to the bytes of the pixels, whatever these mean."""
_UNSUPPORTED = frozenset({34892, 50001, 50002, 52546})
"""Lossy DNG, WebP and JPEG XL: Pillow opens some, but its libtiff cannot unpack them."""
_WHITE_IS_ZERO, _BLACK_IS_ZERO, _RGB, _CMYK = 0, 1, 2, 5
_COLOURS = {_WHITE_IS_ZERO: 1, _BLACK_IS_ZERO: 1, _RGB: 3, _CMYK: 4}
_ASSOCIATED = 1
_HEADER = 16
_ROWS = 128
_TURNS: dict[int, Callable[[Bytes], Bytes]] = {
    2: lambda pixels: pixels[:, ::-1],
    3: lambda pixels: pixels[::-1, ::-1],
    4: lambda pixels: pixels[::-1],
    5: lambda pixels: pixels.swapaxes(0, 1),
    6: lambda pixels: pixels[::-1].swapaxes(0, 1),
    7: lambda pixels: pixels[::-1, ::-1].swapaxes(0, 1),
    8: lambda pixels: pixels.swapaxes(0, 1)[::-1],
}


@dataclass(frozen=True, slots=True)
class Layout:
    """How the pixels are written down."""

    order: str
    width: int
    height: int
    bits: int
    samples: int
    photometric: int
    extra: int | None
    """What the first sample behind the colours is; ``None`` where there is none."""
    kind: str
    """Of the numbers: ``u``, ``i`` or ``f``."""
    compression: int
    predictor: int
    separate: bool
    orientation: int

    @property
    def colours(self) -> int:
        return _COLOURS[self.photometric]


def opened(source: bytes, otherwise: Callable[[], Image.Image]) -> Image.Image:
    """The image, not decoded yet: as Pillow opens it where that is right, else as it is read here.

    Raises:
        UnsupportedTiffError: neither can read it.
    """
    scanner = Scanner(io.BytesIO(source), Budget())
    directory = read(scanner)
    layout = _layout(directory, scanner)
    readable = layout is not None and _is_readable(layout)
    if layout is not None and layout.compression in _UNSUPPORTED:
        raise UnsupportedTiffError(layout)
    if layout is not None and readable and (layout.bits > 8 or layout.separate):
        return _deferred(source, directory, scanner, layout)
    try:
        return otherwise()
    except (OSError, SyntaxError, ValueError, TypeError, LookupError, RuntimeError):
        if layout is None or layout.photometric < 0:
            raise
        if not readable:
            raise UnsupportedTiffError(layout) from None
        return _deferred(source, directory, scanner, layout)


class UnsupportedTiffError(Exception):
    """A TIFF that is sound, but of a kind that is not read."""

    def __init__(self, layout: Layout) -> None:
        super().__init__(layout)
        self.layout = layout


def _layout(directory: Directory, scanner: Scanner) -> Layout | None:
    def value(tag: int, default: int) -> int:
        return next(iter(directory.values(scanner, tag)), default)

    width, height, photometric = value(256, 0), value(257, 0), value(262, -1)
    bits = directory.values(scanner, 258) or (1,)
    samples, formats = value(277, 1), directory.values(scanner, 339) or (1,)
    colours = _COLOURS.get(photometric, samples)
    extras = directory.values(scanner, 338)
    if width < 1 or height < 1 or len(set(bits)) != 1 or len(set(formats)) != 1 or not 1 <= samples <= 16:
        return None
    return Layout(
        order=directory.order,
        width=width,
        height=height,
        bits=bits[0],
        samples=samples,
        photometric=photometric,
        extra=(extras[0] if extras else 2) if samples > colours else None,
        kind={1: "u", 2: "i", 3: "f"}.get(formats[0], "?"),
        compression=value(259, 1),
        predictor=value(317, 1),
        separate=value(284, 1) == 2,
        orientation=value(274, 1),
    )


def _is_readable(layout: Layout) -> bool:
    depths = {"u": (8, 12, 16, 32), "i": (8, 16, 32), "f": (16, 32, 64)}.get(layout.kind, ())
    return (
        layout.photometric in _COLOURS
        and layout.samples >= layout.colours
        and layout.bits in depths
        and layout.compression in _COMPRESSIONS
        and layout.predictor in (1, 2, 3)
        and not (layout.bits == 12 and layout.predictor != 1)
    )


def _deferred(source: bytes, directory: Directory, scanner: Scanner, layout: Layout) -> Image.Image:
    size = (layout.width, layout.height)
    places = _places(directory, scanner, layout)
    info: dict[str, Any] = {}
    profile = directory.entries.get(34675)
    if profile is not None:
        info["icc_profile"] = source[profile.place : profile.place + profile.count]
    turned = size[::-1] if layout.orientation in (5, 6, 7, 8) else size
    return DeferredImage(turned, info, lambda: _decoded(source, layout, places))


@dataclass(frozen=True, slots=True)
class Places:
    """Where the strips or tiles stand."""

    offsets: tuple[int, ...]
    counts: tuple[int, ...]
    rows: int
    """Of a strip or a tile."""
    tile_width: int | None
    fill_order: int


def _places(directory: Directory, scanner: Scanner, layout: Layout) -> Places:
    tiled = 324 in directory.entries
    offsets = directory.values(scanner, 324 if tiled else 273)
    counts = directory.values(scanner, 325 if tiled else 279)
    rows = next(iter(directory.values(scanner, 323 if tiled else 278)), layout.height)
    tile_width = next(iter(directory.values(scanner, 322)), 0) if tiled else None
    fill_order = next(iter(directory.values(scanner, 266)), 1)
    return Places(offsets, counts or (2**31,), rows if tiled else min(rows, layout.height), tile_width, fill_order)


def _decoded(source: bytes, layout: Layout, places: Places) -> Image.Image:
    kept = layout.colours + (layout.extra in (1, 2))
    pixels = np.empty((layout.height, layout.width, kept), np.uint8)
    if layout.separate:
        each = len(places.offsets) // layout.samples
        for plane in range(kept):
            part = slice(plane * each, (plane + 1) * each)
            own = Places(places.offsets[part], places.counts[part], places.rows, places.tile_width, places.fill_order)
            _fill(pixels[:, :, plane : plane + 1], _rows(source, layout, own, 1), layout, own, 1)
    else:
        _fill(pixels, _rows(source, layout, places, layout.samples), layout, places, layout.samples)
    if layout.photometric == _WHITE_IS_ZERO:
        pixels[..., 0] = 255 - pixels[..., 0]
    turn = _TURNS.get(layout.orientation)
    return _image(np.ascontiguousarray(turn(pixels)) if turn else pixels, layout)


def _image(pixels: Bytes, layout: Layout) -> Image.Image:
    with_opacity = pixels.shape[2] > layout.colours
    if layout.photometric == _CMYK:
        image = Image.fromarray(np.ascontiguousarray(pixels[..., :4]), "CMYK")
        if with_opacity:
            image.info[OPACITY] = Image.fromarray(np.ascontiguousarray(pixels[..., 4]))
        return image
    if layout.colours == 1:
        grey = Image.fromarray(np.ascontiguousarray(pixels[..., 0]))
        if not with_opacity:
            return grey
        mode, bands = "LA", [grey, Image.fromarray(np.ascontiguousarray(pixels[..., 1]))]
        image = Image.merge(mode, bands)
    else:
        image = Image.fromarray(pixels)
    if with_opacity and layout.extra == _ASSOCIATED:
        straight = image.mode
        return Image.frombytes(straight[:-1] + "a", image.size, image.tobytes()).convert(straight)
    return image


def _rows(source: bytes, layout: Layout, places: Places, samples: int) -> Bytes:
    """The bytes of the rows, unpacked."""
    row = (layout.width * samples * layout.bits + 7) // 8
    tags: list[tuple[int, int, tuple[int, ...]]] = [
        (256, 4, (row,)),
        (257, 4, (layout.height,)),
        (258, 3, (8,)),
        (259, 3, (layout.compression,)),
        (262, 3, (1,)),
        (266, 3, (places.fill_order,)),
        (277, 3, (1,)),
    ]
    offsets = tuple(_HEADER + offset for offset in places.offsets)
    if places.tile_width is None:
        tags += [(273, 16, offsets), (278, 4, (places.rows,)), (279, 16, places.counts)]
    else:
        wide = (places.tile_width * samples * layout.bits + 7) // 8
        tags += [(322, 4, (wide,)), (323, 4, (places.rows,)), (324, 16, offsets), (325, 16, places.counts)]
    # Not by `Image.open`, which would take the bytes for pixels when it looks for bombs: the size has been checked.
    file = TiffImagePlugin.TiffImageFile(io.BytesIO(_described(source, sorted(tags))))
    return np.asarray(file)


def _described(source: bytes, tags: list[tuple[int, int, tuple[int, ...]]]) -> bytes:
    """The file behind the header of a BigTIFF, and before a directory that has these tags."""
    start = _HEADER + len(source)
    body, entries = b"", b""
    behind = start + 8 + 20 * len(tags) + 8
    for tag, kind, values in tags:
        data = struct.pack(f"<{len(values)}{ {3: 'H', 4: 'I', 16: 'Q'}[kind] }", *values)
        if len(data) > 8:
            entries += struct.pack("<HHQQ", tag, kind, len(values), behind + len(body))
            body += data
        else:
            entries += struct.pack("<HHQ", tag, kind, len(values)) + data.ljust(8, b"\0")
    header = struct.pack("<2sHHHQ", b"II", 43, 8, 0, start)
    return header + source + struct.pack("<Q", len(tags)) + entries + bytes(8) + body


def _fill(pixels: Bytes, rows: Bytes, layout: Layout, places: Places, samples: int) -> None:
    """Write the levels of the rows, brought to eight bits, into ``pixels``."""
    # What is predicted begins anew with each tile.
    wide = places.tile_width or layout.width
    tile = (wide * samples * layout.bits + 7) // 8
    for top in range(0, layout.height, _ROWS):
        band = rows[top : top + _ROWS]
        parts = [
            _levels(band[:, left : left + tile], layout, samples)[:, :wide] for left in range(0, band.shape[1], tile)
        ]
        levels = np.concatenate(parts, axis=1)[:, : layout.width, : pixels.shape[2]]
        pixels[top : top + _ROWS] = to_eight_bits(levels, 4095 if layout.bits == 12 else None)


def _levels(band: Bytes, layout: Layout, samples: int) -> Levels:
    band = np.ascontiguousarray(band)
    height = band.shape[0]
    if layout.bits == 12:
        return _twelve_bits(band)[:, : band.shape[1] * 8 // 12 // samples * samples].reshape(height, -1, samples)
    size = layout.bits // 8
    if layout.predictor == 3:
        # Differences of bytes, the most significant bytes of all levels first (TIFF Technical Note 3).
        sums = np.cumsum(band.reshape(height, -1, samples), axis=1, dtype=np.uint8).reshape(height, size, -1)
        levels = np.ascontiguousarray(sums.swapaxes(1, 2)).view(f">{layout.kind}{size}")
        return levels.reshape(height, -1, samples)
    levels = band.view(f"{layout.order}{layout.kind}{size}").reshape(height, -1, samples)
    if layout.predictor == 2:
        whole = levels.view(f"{layout.order}u{size}")
        summed = np.cumsum(whole, axis=1, dtype=f"u{size}")
        return summed.view(f"{layout.kind}{size}")
    return levels


def _twelve_bits(band: Bytes) -> Levels:
    """Two levels from each three bytes."""
    height, count = band.shape
    padded = np.zeros((height, -(-count // 3) * 3), np.uint16)
    padded[:, :count] = band
    first, middle, last = (padded[:, place::3] for place in range(3))
    return np.stack([first << 4 | middle >> 4, (middle & 15) << 8 | last], axis=-1).reshape(height, -1)
