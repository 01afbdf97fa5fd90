"""Watermark: a text or another image over the image."""

from collections.abc import Callable
from typing import TypeAlias

from PIL import Image

from darkroom_imaging.effects.resize import placed
from darkroom_imaging.operations import Watermark

_MARGIN = 0.02
"""The distance to the edge, as a share of the shorter side."""
Mark: TypeAlias = Callable[[tuple[int, int]], Image.Image]
"""Gives what is put over, in mode RGBA, as large as it can be within a width and height."""


def watermark(image: Image.Image, operation: Watermark, mark: Mark) -> Image.Image:
    """Put a mark over the image, at a small distance to the edges. The image is changed."""
    margin = round(min(image.size) * _MARGIN)
    width = min(round(image.width * operation.scale), image.width - 2 * margin)
    over = mark((max(1, width), max(1, image.height - 2 * margin)))
    over.putalpha(over.getchannel("A").point([round(level * operation.opacity) for level in range(256)]))
    left, top = placed(operation.position, over.size, image.size, margin)
    box = (left, top, left + over.width, top + over.height)
    result = image.convert("RGB") if image.mode == "L" else image
    below = result.crop(box).convert("RGBA")
    below.alpha_composite(over)
    result.paste(below.convert(result.mode), box)
    return result


def scaled(image: Image.Image, room: tuple[int, int]) -> Image.Image:
    """An image as a mark."""
    factor = min(room[0] / image.width, room[1] / image.height)
    size = max(1, round(image.width * factor)), max(1, round(image.height * factor))
    return image.convert("RGBA").resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0)
