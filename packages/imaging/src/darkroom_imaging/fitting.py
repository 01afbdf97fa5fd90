"""Find the best quality whose file is small enough, with few encodings.

Sizes follow much the same curve of the quality for all images. So the size at one quality tells about the others, and
each encoding sharpens the guess: a search by halves would take seven encodings, this one takes four to five.
"""

import math
from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from darkroom_contracts.formats import ImageFormat

_QUALITIES = (1, 5, 10, 20, 30, 40, 50, 60, 70, 80, 90, 100)
_CURVES: Mapping[ImageFormat, Sequence[float]] = MappingProxyType(
    {
        ImageFormat.JPEG: (1.0, 1.08, 1.29, 1.69, 2.03, 2.31, 2.58, 2.87, 3.34, 4.18, 6.55, 28.2),
        ImageFormat.WEBP: (1.0, 1.19, 1.35, 1.6, 1.87, 2.11, 2.38, 2.67, 2.95, 3.8, 7.39, 21.7),
        ImageFormat.AVIF: (1.0, 1.08, 1.26, 1.61, 2.07, 2.8, 3.93, 5.16, 6.89, 10.4, 16.5, 68.0),
    }
)
"""Sizes at these qualities, as multiples of the smallest: of photographs, the medians."""


@dataclass(frozen=True, slots=True)
class Fitted:
    """The file of the best quality that is small enough."""

    quality: int
    data: bytes


class NothingFitsError(Exception):
    """Even the lowest quality makes a file that is too large."""

    def __init__(self, smallest: int) -> None:
        super().__init__(smallest)
        self.smallest = smallest


def fit(image_format: ImageFormat, quality: int, max_bytes: int, encode: Callable[[int], bytes]) -> Fitted:
    """The best quality of at most ``quality`` whose file has at most ``max_bytes``.

    Args:
        image_format: the format, which has to have a quality.
        quality: 1 to 100.
        max_bytes: of the file.
        encode: gives the file of a quality.

    Raises:
        NothingFitsError: there is none.
    """
    data = encode(quality)
    smallest, high, known = len(data), quality, {quality: len(data)}
    best = Fitted(quality, data) if len(data) <= max_bytes else None
    low = quality if best else 0
    halve = fitted_before = False
    while high - low > 1:
        guess = _guess(_CURVES[image_format], known, max_bytes)
        quality = (low + high) // 2 if halve else min(max(guess, low + 1), high - 1)
        data = encode(quality)
        known[quality] = len(data)
        smallest = min(smallest, len(data))
        fits = len(data) <= max_bytes
        # Two guesses that miss on the same side come from an image that is unlike others.
        halve = not halve and fits == fitted_before
        fitted_before = fits
        if fits:
            low, best = quality, Fitted(quality, data)
        else:
            high = quality
    if best is None:
        raise NothingFitsError(smallest)
    return best


def _guess(curve: Sequence[float], known: Mapping[int, int], max_bytes: int) -> int:
    """The best quality that should fit, by the two known sizes next to it, or the one there is."""
    below = max((quality for quality, size in known.items() if size <= max_bytes), default=None)
    above = min((quality for quality, size in known.items() if size > max_bytes), default=None)
    ends = [(quality, math.log(known[quality] / _at(curve, quality))) for quality in (below, above) if quality]
    fitting = (
        quality
        for quality in range(100, 0, -1)
        if math.log(_at(curve, quality)) + _between(ends, quality) <= math.log(max_bytes)
    )
    return next(fitting, 1)


def _between(ends: Sequence[tuple[int, float]], quality: int) -> float:
    """By how much the image lies over the curve at a quality."""
    (first, offset), (last, other) = ends[0], ends[-1]
    if first == last:
        return offset
    share = min(max((quality - first) / (last - first), 0.0), 1.0)
    return offset + share * (other - offset)


def _at(curve: Sequence[float], quality: int) -> float:
    after = max(1, bisect_left(_QUALITIES, quality))
    share = (quality - _QUALITIES[after - 1]) / (_QUALITIES[after] - _QUALITIES[after - 1])
    return math.exp(math.log(curve[after - 1]) * (1 - share) + math.log(curve[after]) * share)
