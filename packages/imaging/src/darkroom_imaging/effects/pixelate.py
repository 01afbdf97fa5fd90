"""Pixelate."""

from PIL import Image

from darkroom_imaging.effects.regions import in_regions
from darkroom_imaging.operations import Pixelate


def pixelate(image: Image.Image, operation: Pixelate) -> Image.Image:
    """Replace each square, counted from the upper left corner of the image, by the mean of what the image has of it.

    Raises:
        BadOperationError: a region has no area, or lies outside of the image.
    """
    return in_regions(
        image,
        operation.regions,
        lambda part: _pixelated(part, operation.size),
        reach=operation.size,
        grid=operation.size,
    )


def _pixelated(image: Image.Image, size: int) -> Image.Image:
    box = (0, 0, image.width / size, image.height / size)
    return image.reduce(size).resize(image.size, Image.Resampling.NEAREST, box=box)
