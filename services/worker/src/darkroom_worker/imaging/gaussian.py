"""A Gaussian blur that works on as few pixels as the blur leaves distinct.

A blur removes what a smaller picture cannot hold. So take the means of squares of k by k pixels, blur those with what
is missing of the variance, and enlarge linearly. Variances add up, in pixels squared: a mean over k pixels brings
(k² - 1)/12 with it, a linear interpolation between points k apart k²/6, and the small picture's blur has to bring the
rest of sigma². The interpolation leaves no trace of its grid that counts as long as k is at most half of sigma; from
sigma 2 on, where full size would cost most, squares of 2 are still below what eight bits tell apart.
"""

import math

import cv2

from darkroom_worker.imaging.pixels import Pixels

_LARGEST_SQUARE = 64
_DECODABLE_UP_TO = 12
_REACH = 4.0
"""Sigmas at which the kernel ends. OpenCV would end it at 3, where 0.3 % of it are missing."""


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


def blurred(pixels: Pixels, sigma: float, scale: int = 1) -> tuple[Pixels, int]:
    """Blur.

    Args:
        pixels: colours multiplied by their opacity.
        sigma: of the Gaussian, in the picture's own pixels.
        scale: the side of the squares that ``pixels`` already are the means of; a divisor of ``square(sigma)``.

    Returns:
        Pixels of the picture's own size, and the width of a margin they have on the left and at the top. There are
        margins at the right and at the bottom too.
    """
    side = square(sigma)
    step = side // scale
    if step > 1:
        pixels = _means(pixels, step)
    size = 2 * _radius(_remaining(sigma, side)) + 1
    small = cv2.GaussianBlur(pixels, (size, size), _remaining(sigma, side), borderType=cv2.BORDER_REPLICATE)
    if side == 1:
        return small, 0
    height, width = small.shape[:2]
    large = cv2.resize(small, (width * side, height * side), interpolation=cv2.INTER_LINEAR)
    return large, side if step > 1 else 0


def _means(pixels: Pixels, step: int) -> Pixels:
    """Means of squares, with one more on each side: of the edge repeated, which all beyond it would be the mean of."""
    height, width = pixels.shape[:2]
    framed = cv2.copyMakeBorder(
        pixels, step, step + -height % step, step, step + -width % step, borderType=cv2.BORDER_REPLICATE
    )
    height, width = framed.shape[:2]
    return cv2.resize(framed, (width // step, height // step), interpolation=cv2.INTER_AREA)


def _remaining(sigma: float, side: int) -> float:
    """The sigma, in squares, that is left to bring after the means and the interpolation have brought theirs."""
    if side == 1:
        return sigma
    return math.sqrt(sigma**2 - (side**2 - 1) / 12 - side**2 / 6) / side


def _radius(sigma: float) -> int:
    return math.ceil(_REACH * sigma)
