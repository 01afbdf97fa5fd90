"""Blur and sharpen."""

import cv2
from PIL import Image

from darkroom_imaging import gaussian
from darkroom_imaging.effects.regions import in_regions
from darkroom_imaging.operations import Blur, Sharpen
from darkroom_imaging.picture import Picture, whole
from darkroom_imaging.pixels import bands, image_of, pixels_of


def blur(picture: Picture, operation: Blur) -> Picture:
    """Blur the picture, or parts of it.

    Raises:
        BadOperationError: a region has no area, or lies outside of the picture.
    """
    if operation.regions is None:
        return whole(gaussian.blurred(picture, operation.radius))
    return whole(
        in_regions(
            picture.image,
            operation.regions,
            lambda part: gaussian.blurred(whole(part), operation.radius),
            reach=gaussian.reach(operation.radius),
            grid=gaussian.square(operation.radius),
        )
    )


def sharpen(image: Image.Image, operation: Sharpen) -> Image.Image:
    """Add to each colour, ``amount`` times, what a blur takes from it. Opacity stays."""
    result = gaussian.blurred(whole(image), operation.radius)
    for box in bands(image.size):
        result.paste(_sharper(image.crop(box), result.crop(box), operation.amount), box)
    return result


def _sharper(image: Image.Image, soft: Image.Image, amount: float) -> Image.Image:
    colours = "L" if image.mode == "L" else "RGB"
    pixels, soft_pixels = pixels_of(image.convert(colours)), pixels_of(soft.convert(colours))
    result = image_of(cv2.addWeighted(pixels, 1 + amount, soft_pixels, -amount, 0))
    if image.mode == "RGBA":
        result.putalpha(image.getchannel("A"))
    return result
