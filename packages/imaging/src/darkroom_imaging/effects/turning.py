"""Rotate and flip."""

import math

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from darkroom_imaging.limits import Limits
from darkroom_imaging.operations import Flip, Rotate
from darkroom_imaging.pixels import image_of, pixels_of

_QUARTERS = {90: Image.Transpose.ROTATE_270, 180: Image.Transpose.ROTATE_180, 270: Image.Transpose.ROTATE_90}
_MIRRORS = {"horizontal": Image.Transpose.FLIP_LEFT_RIGHT, "vertical": Image.Transpose.FLIP_TOP_BOTTOM}
_TRANSPARENT = "#00000000"
_NOISE = 1e-6
"""Rounding errors of sines must not add a pixel to a side."""


def flip(image: Image.Image, operation: Flip) -> Image.Image:
    """Mirror the image."""
    return image.transpose(_MIRRORS[operation.direction])


def rotate(image: Image.Image, operation: Rotate, limits: Limits) -> Image.Image:
    """Turn the image clockwise about its centre, on a canvas that holds all of it.

    Raises:
        ImageTooLargeError: the canvas would be beyond a limit.
    """
    angle = operation.angle % 360
    if angle == 0:
        return image
    if angle in _QUARTERS:
        return image.transpose(_QUARTERS[int(angle)])
    matrix, size = _rotation(angle, image.size)
    limits.check_size(*size, what="The rotated image")
    turned = _warped(image.convert("RGBA"), matrix, size)
    if operation.background == _TRANSPARENT:
        return turned
    canvas = Image.new("RGBA", size, operation.background)
    canvas.alpha_composite(turned)
    return canvas


def _warped(image: Image.Image, matrix: NDArray[np.float64], size: tuple[int, int]) -> Image.Image:
    # What lies outside is transparent, so the image's edges come out smooth.
    pixels = cv2.warpAffine(pixels_of(image), matrix, size, flags=cv2.INTER_CUBIC, borderValue=(0, 0, 0, 0))
    # A cubic interpolation overshoots, but no colour can be more than its opacity.
    np.minimum(pixels, pixels[:, :, 3:], out=pixels)
    return image_of(pixels)


def _rotation(angle: float, size: tuple[int, int]) -> tuple[NDArray[np.float64], tuple[int, int]]:
    """The way from an image to the canvas it is rotated on, and that canvas' size."""
    cosine, sine = math.cos(math.radians(angle)), math.sin(math.radians(angle))
    width = math.ceil(abs(size[0] * cosine) + abs(size[1] * sine) - _NOISE)
    height = math.ceil(abs(size[0] * sine) + abs(size[1] * cosine) - _NOISE)
    # OpenCV counts from the centre of the first pixel.
    from_x, from_y, to_x, to_y = ((side - 1) / 2 for side in (*size, width, height))
    matrix = np.array(
        [
            [cosine, -sine, to_x - cosine * from_x + sine * from_y],
            [sine, cosine, to_y - sine * from_x - cosine * from_y],
        ]
    )
    return matrix, (width, height)
