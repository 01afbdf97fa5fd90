"""Pixels as Pillow's images and as NumPy's arrays, in the three modes that operations work in: L, RGB and RGBA."""

from collections.abc import Iterator
from typing import TypeAlias

import cv2
import numpy as np
from cv2.typing import MatLike
from PIL import Image

Pixels: TypeAlias = MatLike
"""Bytes, in rows of columns of channels; without the last axis for a single channel."""
Box: TypeAlias = tuple[int, int, int, int]
"""Left, top, right, bottom: the last two just outside, as in Pillow."""

# A worker runs one process per core and works on one image in each: threads of OpenCV's own would compete with those
# processes, and the pool they live in does not survive the fork that makes a worker's process.
cv2.setNumThreads(1)

_BAND = 2**18
"""Pixels in a band, about."""
_ROWS = 64
_PREMULTIPLIED = {"RGBA": "RGBa"}
_STRAIGHT = {"RGBa": "RGBA"}


def bands(size: tuple[int, int]) -> Iterator[Box]:
    """An image of ``size`` in bands of rows that stay in a processor's cache and add little to its memory.

    Each band but the last has a multiple of 64 rows.
    """
    width, height = size
    rows = max(_ROWS, _BAND // width // _ROWS * _ROWS)
    for top in range(0, height, rows):
        yield 0, top, width, min(top + rows, height)


def premultiplied(image: Image.Image) -> Image.Image:
    """The image with its colours multiplied by their opacity, so that a mean weighs each colour by what shows of it.

    Eight bits hold such a colour to half a level of what is seen.
    """
    return image.convert(_PREMULTIPLIED[image.mode]) if image.mode in _PREMULTIPLIED else image


def pixels_of(image: Image.Image) -> Pixels:
    """The image's pixels, their colours multiplied by their opacity."""
    return np.asarray(premultiplied(image))


def image_of(pixels: Pixels, window: Box | None = None) -> Image.Image:
    """The image that has these pixels, as ``pixels_of`` gave them.

    Args:
        pixels: without gaps between them.
        window: the part that is wanted; all of it where none is given.
    """
    height, width = pixels.shape[:2]
    left, top, right, bottom = window or (0, 0, width, height)
    channels = 1 if pixels.ndim == 2 else pixels.shape[2]
    mode = {1: "L", 3: "RGB", 4: "RGBa"}[channels]
    # `Image.fromarray` would copy a window before it copies it.
    first = (top * width + left) * channels
    image = Image.frombytes(
        mode, (right - left, bottom - top), pixels.reshape(-1)[first:], "raw", mode, width * channels, 1
    )
    return image.convert(_STRAIGHT[mode]) if mode in _STRAIGHT else image
