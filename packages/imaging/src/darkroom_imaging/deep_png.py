"""PNGs whose levels Pillow would cut to eight bits, or whose transparent colour it takes at another depth."""

import io
from typing import Any, cast

import numpy as np
from PIL import Image, PngImagePlugin

from darkroom_imaging.deferred import DeferredImage
from darkroom_imaging.levels import Levels, to_eight_bits

_DEPTH_AT = 24
_GREY, _RGB, _GREY_WITH_OPACITY, _RGBA = 0, 2, 4, 6
_ROWS = 256


def opened(source: bytes) -> Image.Image:
    """The image, which is not decoded yet."""
    file = _file(source)
    depth, kind = source[_DEPTH_AT], source[_DEPTH_AT + 1]
    transparent = file.info.get("transparency")
    if depth == 16 and kind in (_RGB, _GREY_WITH_OPACITY, _RGBA):
        info = {name: value for name, value in file.info.items() if name != "transparency"}
        return DeferredImage(file.size, info, lambda: _decoded(source, kind, transparent))
    if kind == _GREY and depth in (2, 4, 8) and isinstance(transparent, int):
        # Only the low bits count (ISO/IEC 15948, 11.3.2.1), and Pillow compares after it has spread the levels.
        most = 2**depth - 1
        file.info["transparency"] = (transparent & most) * (255 // most)
    if kind == _RGB and isinstance(transparent, tuple):
        file.info["transparency"] = tuple(level & 0xFF for level in transparent)
    return file


def _file(source: bytes) -> PngImagePlugin.PngImageFile:
    return cast("PngImagePlugin.PngImageFile", Image.open(io.BytesIO(source), formats=["PNG"]))


def _unpacked(source: bytes, mode: str, raw_mode: str) -> Image.Image:
    """The image with its bytes unpacked in another way. It is undone by what Pillow takes its pixels to be."""
    file: Any = _file(source)
    file._mode = mode
    file.tile = [tile._replace(args=raw_mode) for tile in file.tile]
    file.info.pop("transparency", None)
    file.load()
    # Where the metadata behind the pixels says how they are turned.
    return cast("Image.Image", file)


def _decoded(source: bytes, kind: int, transparent: object) -> Image.Image:
    if kind == _GREY_WITH_OPACITY:
        # Four bytes a pixel, two for each level: as RGBA of eight bits, they come as they stand.
        image = _unpacked(source, "RGBA", "RGBA")
        both = _by_bands(np.asarray(image).view(">u2"))
        return _with_info(Image.merge("LA", [Image.fromarray(both[..., channel]) for channel in (0, 1)]), image)
    mode = "RGB" if kind == _RGB else "RGBA"
    # Taken as big-endian, a level gives its high byte, taken as little-endian its low one.
    image = _unpacked(source, mode, f"{mode};16B")
    high, low = np.asarray(image), np.asarray(_unpacked(source, mode, f"{mode};16L"))
    eight = np.empty_like(high)
    opacity = np.full(high.shape[:2], 255, np.uint8) if isinstance(transparent, tuple) else None
    for top in range(0, high.shape[0], _ROWS):
        rows = slice(top, top + _ROWS)
        levels = high[rows].astype(np.uint16) << 8 | low[rows]
        eight[rows] = to_eight_bits(levels)
        if opacity is not None:
            opacity[rows][(levels == np.array(transparent)).all(axis=-1)] = 0
    result = Image.fromarray(eight)
    if opacity is not None:
        result.putalpha(Image.fromarray(opacity))
    return _with_info(result, image)


def _by_bands(levels: Levels) -> np.ndarray[Any, np.dtype[np.uint8]]:
    eight = np.empty(levels.shape, np.uint8)
    for top in range(0, levels.shape[0], _ROWS):
        eight[top : top + _ROWS] = to_eight_bits(levels[top : top + _ROWS])
    return eight


def _with_info(result: Image.Image, source: Image.Image) -> Image.Image:
    result.info = {name: value for name, value in source.info.items() if name == "exif"}
    return result
