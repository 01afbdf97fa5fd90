"""A Gaussian blur that works on as few pixels as the blur leaves distinct.

A blur removes what a smaller picture cannot hold. So take the means of squares of k by k pixels, blur those with what
is missing of the variance, and enlarge linearly. Variances add up, in pixels squared: a mean over k pixels brings
(k² - 1)/12 with it, a linear interpolation between points k apart k²/6, and the small picture's blur has to bring the
rest of sigma². The interpolation leaves no trace of its grid that counts as long as k is at most half of sigma; from
sigma 2 on, where full size would cost most, squares of 2 are still below what eight bits tell apart.
"""

import math

import cv2
import numpy as np
from PIL import Image

from darkroom_imaging.picture import Picture
from darkroom_imaging.pixels import Box, Pixels, bands, image_of, pixels_of, premultiplied

_LARGEST_SQUARE = 64
_DECODABLE_UP_TO = 12
_REACH = 4.0
"""Sigmas at which the kernel ends. OpenCV would end it at 3, where 0.3 % of it are missing."""
_SMALL, _SMALL_REACH = 2.0, 2.5


def square(sigma: float) -> int:
    """The side k, in pixels, of the squares that a blur of ``sigma`` pixels works on: a power of two."""
    return 1 if sigma < 2 else min(max(2, 2 ** int(math.log2(sigma / 2))), _LARGEST_SQUARE)


def decodable(sigma: float) -> int:
    """The side of the squares that a decoder may hand out for this blur.

    Beyond its edges a picture is taken to go on as the pixels at the edge do; a decoder's reduction leaves only their
    mean with the next ones to go by. The wider the blur, the further inside that is to be seen.
    """
    return 2 if 2 <= sigma <= _DECODABLE_UP_TO else 1


def reach(sigma: float) -> int:
    """How far, in pixels, a pixel of the result can be from one it depends on."""
    side = square(sigma)
    return side * (_radius(_remaining(sigma, side)) + 2)


def blurred(picture: Picture, sigma: float) -> Image.Image:
    """The picture, blurred and at its own size.

    Args:
        picture: may have been decoded as means of squares of ``decodable(sigma)``.
        sigma: of the Gaussian, in the picture's own pixels.
    """
    side = square(sigma)
    if side == 1:
        return _blurred_whole(picture.image, sigma)
    means, margin = _means(picture.image, side // picture.scale)
    left, top = (margin * side + near for near in picture.origin)
    window = (left, top, left + picture.size[0], top + picture.size[1])
    return _enlarged(_convolved(means, _remaining(sigma, side)), side, window, picture.image.mode)


def _blurred_whole(image: Image.Image, sigma: float) -> Image.Image:
    result = Image.new(image.mode, image.size)
    near = _radius(sigma)
    for left, top, right, bottom in bands(image.size):
        first, last = max(0, top - near), min(image.height, bottom + near)
        soft = _convolved(pixels_of(image.crop((left, first, right, last))), sigma)
        result.paste(image_of(soft, (left, top - first, right, bottom - first)), (left, top))
    return result


def _convolved(pixels: Pixels, sigma: float) -> Pixels:
    size = 2 * _radius(sigma) + 1
    return cv2.GaussianBlur(pixels, (size, size), sigma, borderType=cv2.BORDER_REPLICATE)


def _means(image: Image.Image, step: int) -> tuple[Pixels, int]:
    """Means of squares, and how many more there are on each side.

    Those are means of the edge repeated, as of all that is beyond it.
    """
    if step == 1:
        return pixels_of(image), 0
    image = premultiplied(image)
    width, height = image.size
    squares = np.asarray(image.reduce(step))
    means = np.pad(squares, ((1, 1), (1, 1), (0, 0))[: squares.ndim], mode="edge")
    for row, y in ((0, 0), (-1, height - 1)):
        means[row, 1:-1] = np.asarray(image.reduce((step, 1), box=(0, y, width, y + 1)))[0]
    for column, x in ((0, 0), (-1, width - 1)):
        means[1:-1, column] = np.asarray(image.reduce((1, step), box=(x, 0, x + 1, height)))[:, 0]
        means[0, column], means[-1, column] = image.getpixel((x, 0)), image.getpixel((x, height - 1))
    _fill_up(means, height % step / step)
    _fill_up(means.swapaxes(0, 1), width % step / step)
    return means, 1


def _fill_up(means: Pixels, share: float) -> None:
    """Have the last squares before the edge, of which the picture has only a share, go on as the edge does."""
    if share > 0:
        means[-2] = np.rint(means[-2] * share + means[-1] * (1 - share))


def _enlarged(means: Pixels, side: int, window: Box, mode: str) -> Image.Image:
    """The part of the enlarged picture that lies in the window."""
    left, top, right, bottom = window
    rows, columns = means.shape[:2]
    result = Image.new(mode, (right - left, bottom - top))
    for _, upper, _, lower in bands(result.size):
        # One row more on each side, for the interpolation at the ends of the band.
        first, last = max(0, (top + upper) // side - 1), min(rows, -(-(top + lower) // side) + 1)
        large = cv2.resize(means[first:last], (columns * side, (last - first) * side), interpolation=cv2.INTER_LINEAR)
        shift = top - first * side
        result.paste(image_of(large, (left, upper + shift, right, lower + shift)), (0, upper))
    return result


def _remaining(sigma: float, side: int) -> float:
    """The sigma, in squares, that is left to bring after the means and the interpolation have brought theirs."""
    if side == 1:
        return sigma
    return math.sqrt(sigma**2 - (side**2 - 1) / 12 - side**2 / 6) / side


def _radius(sigma: float) -> int:
    """How many pixels on each side a kernel has: at sigma 1, two do (59 dB against all) at two thirds of the cost."""
    return math.ceil(_REACH * sigma if sigma >= _SMALL else _SMALL_REACH * sigma - 0.5)
