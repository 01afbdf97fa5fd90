"""Grayscale and adjust."""

from PIL import Image

from darkroom_imaging.operations import Adjust
from darkroom_imaging.pixels import bands

_MIDDLE = 127.5


def grayscale(image: Image.Image) -> Image.Image:
    """Each pixel's luma by ITU-R BT.601: 0.299 red + 0.587 green + 0.114 blue."""
    if image.mode == "RGBA":
        return image.convert("LA").convert("RGBA")
    return image.convert("L")


def adjust(image: Image.Image, operation: Adjust) -> Image.Image:
    """Multiply by the brightness, then stretch about the middle grey by the contrast, then stretch the colour.

    The image is changed.
    """
    table = [_tone(level, operation) for level in range(256)]
    tables = table * (1 if image.mode == "L" else 3) + list(range(256)) * (image.mode == "RGBA")
    for box in bands(image.size):
        part = image.crop(box).point(tables)
        if operation.saturation != 1 and image.mode != "L":
            part = Image.blend(grayscale(part).convert(image.mode), part, operation.saturation)
        image.paste(part, box)
    return image


def _tone(level: int, operation: Adjust) -> int:
    bright = min(level * operation.brightness, 255)
    return min(max(round((bright - _MIDDLE) * operation.contrast + _MIDDLE), 0), 255)
