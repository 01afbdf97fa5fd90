"""Parts of an image: where they are, and an effect on these parts only."""

import math
from collections.abc import Callable, Sequence

from PIL import Image

from darkroom_imaging.errors import BadOperationError
from darkroom_imaging.operations import Region
from darkroom_imaging.pixels import Box

_NOISE = 1e-6
"""A share times a side is a whole number of pixels where it is nearer to one than this."""


def box_of(region: Region, size: tuple[int, int]) -> Box:
    """The pixels of an image of ``size`` that a region touches.

    Raises:
        BadOperationError: the region has no area, or lies outside of the image.
    """
    x, y, width, height = region
    if max(region) <= 1:
        x, y, width, height = x * size[0], y * size[1], width * size[0], height * size[1]
    left, top = max(0, math.floor(x + _NOISE)), max(0, math.floor(y + _NOISE))
    right, bottom = min(size[0], math.ceil(x + width - _NOISE)), min(size[1], math.ceil(y + height - _NOISE))
    if width <= 0 or height <= 0 or left >= right or top >= bottom:
        shown = ", ".join(f"{value:g}" for value in region)
        raise BadOperationError(
            f"The region [{shown}] covers nothing of the image, which measures {size[0]} × {size[1]} pixels."
        )
    return left, top, right, bottom


def in_regions(
    image: Image.Image,
    regions: Sequence[Region] | None,
    effect: Callable[[Image.Image], Image.Image],
    *,
    reach: int,
    grid: int,
) -> Image.Image:
    """The image with an effect on some parts, which come out as if the whole image had been through it.

    Args:
        image: is changed.
        regions: the parts; all of the image where there are none given.
        effect: gives an image of the same size and mode.
        reach: how many pixels away the effect looks.
        grid: the effect depends on where a pixel lies in squares of this side, counted from the upper left corner.

    Raises:
        BadOperationError: a region has no area, or lies outside of the image.
    """
    if regions is None:
        return effect(image)
    boxes = [box_of(region, image.size) for region in regions]
    surroundings = [_surroundings(box, image.size, reach, grid) for box in boxes]
    if sum(map(_area, surroundings)) >= image.width * image.height:
        image.paste(effect(image), mask=_mask(boxes, image.size))
        return image
    # All are taken from the image as it was, so that what overlaps goes through the effect once.
    patches = [
        effect(image.crop(around)).crop(_moved(box, around)) for box, around in zip(boxes, surroundings, strict=True)
    ]
    for box, patch in zip(boxes, patches, strict=True):
        image.paste(patch, box)
    return image


def _mask(boxes: Sequence[Box], size: tuple[int, int]) -> Image.Image:
    mask = Image.new("L", size)
    for box in boxes:
        mask.paste(255, box)
    return mask


def _surroundings(box: Box, size: tuple[int, int], reach: int, grid: int) -> Box:
    left, top = (max(0, (side - reach) // grid * grid) for side in box[:2])
    right, bottom = (min(end, -(-(side + reach) // grid) * grid) for side, end in zip(box[2:], size, strict=True))
    return left, top, right, bottom


def _moved(box: Box, around: Box) -> Box:
    left, top = around[:2]
    return box[0] - left, box[1] - top, box[2] - left, box[3] - top


def _area(box: Box) -> int:
    return (box[2] - box[0]) * (box[3] - box[1])
