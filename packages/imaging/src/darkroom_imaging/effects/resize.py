"""Resize and crop."""

import math
from dataclasses import dataclass

from PIL import Image

from darkroom_imaging.effects.regions import box_of
from darkroom_imaging.operations import Crop, Position, Resize
from darkroom_imaging.picture import Picture, whole

ENOUGH = 1.5
"""How many times the size of the result a picture must keep that is decoded at a reduced size: on photographs, the
result then has a PSNR of at least 45 dB against one resampled from the whole."""
_BOXES_DOWN_TO = 2.0
"""How many times the size of the result is left for Lanczos' filter, when means of whole pixels have done the rest."""


@dataclass(frozen=True, slots=True)
class Layout:
    """What part of a picture is kept, in its pixels, and the size that part comes to have."""

    box: tuple[float, float, float, float]
    size: tuple[int, int]

    @property
    def reduction(self) -> float:
        """How many times larger the part is than its result, in the direction where that is less."""
        left, top, right, bottom = self.box
        return min((right - left) / self.size[0], (bottom - top) / self.size[1])


def layout(operation: Resize, size: tuple[int, int]) -> Layout:
    """What ``operation`` makes of a picture of ``size``."""
    if operation.fit == "cover" and operation.width is not None and operation.height is not None:
        return _cover(operation, (operation.width, operation.height), size)
    everything = (0.0, 0.0, float(size[0]), float(size[1]))
    factors = _factors(operation, size)
    if operation.fit != "fill":
        factors = (min(factors),) * 2
    return Layout(everything, (_scaled(size[0], factors[0]), _scaled(size[1], factors[1])))


def resize(picture: Picture, target: Layout) -> Picture:
    """Resample to a layout, by Lanczos' filter."""
    if picture.scale == 1 and picture.size == target.size and target.reduction == 1:
        return picture
    left, top, right, bottom = target.box
    x, y = picture.origin
    width, height = picture.image.size
    box = (
        (left + x) / picture.scale,
        (top + y) / picture.scale,
        min((right + x) / picture.scale, width),
        min((bottom + y) / picture.scale, height),
    )
    return whole(picture.image.resize(target.size, Image.Resampling.LANCZOS, box=box, reducing_gap=_BOXES_DOWN_TO))


def crop(image: Image.Image, operation: Crop) -> Image.Image:
    """Cut the part out, as far as it lies inside the image.

    Raises:
        BadOperationError: the box has no area, or lies outside of the image.
    """
    if operation.box is not None:
        return image.crop(box_of(operation.box, image.size))
    size = min(operation.width or image.width, image.width), min(operation.height or image.height, image.height)
    left, top = placed(operation.gravity, size, image.size)
    return image.crop((left, top, left + size[0], top + size[1]))


def placed(position: Position, size: tuple[int, int], inside: tuple[int, int], margin: int = 0) -> tuple[int, int]:
    """The upper left corner of something of ``size`` held against a side or corner of an area, ``margin`` from it."""
    sides = position.split("-")
    free_x, free_y = inside[0] - size[0], inside[1] - size[1]
    left = margin if "left" in sides else free_x - margin if "right" in sides else free_x // 2
    top = margin if "top" in sides else free_y - margin if "bottom" in sides else free_y // 2
    return left, top


def _factors(operation: Resize, size: tuple[int, int]) -> tuple[float, float]:
    """How much wider and higher the picture becomes; a side that is not given goes with the other."""
    wanted = [
        given / side if given is not None else None
        for given, side in zip((operation.width, operation.height), size, strict=True)
    ]
    width, height = wanted[0] or wanted[1] or 1.0, wanted[1] or wanted[0] or 1.0
    return (width, height) if operation.enlarge else (min(1.0, width), min(1.0, height))


def _cover(operation: Resize, wanted: tuple[int, int], size: tuple[int, int]) -> Layout:
    factor = max(wanted[0] / size[0], wanted[1] / size[1])
    if not operation.enlarge:
        factor = min(1.0, factor)
    result = tuple(min(box, _scaled(side, factor)) for box, side in zip(wanted, size, strict=True))
    kept = [min(side, end / factor) for side, end in zip(size, result, strict=True)]
    left, top = ((side - keep) / 2 for side, keep in zip(size, kept, strict=True))
    return Layout((left, top, left + kept[0], top + kept[1]), (result[0], result[1]))


def _scaled(side: int, factor: float) -> int:
    return max(1, math.floor(side * factor + 0.5))
