"""Blur and sharpen."""

import cv2
from darkroom_contracts.operations import Blur, Sharpen
from PIL import Image

from darkroom_worker.imaging import gaussian
from darkroom_worker.imaging.operations.regions import in_regions
from darkroom_worker.imaging.picture import Picture, whole
from darkroom_worker.imaging.pixels import image_of, pixels_of


def blur(picture: Picture, operation: Blur) -> Picture:
    """Blur the picture, or parts of it.

    Raises:
        BadOperationError: a region has no area, or lies outside of the picture.
    """
    if operation.regions is None:
        return whole(blurred(picture, operation.radius))
    return whole(
        in_regions(
            picture.image,
            operation.regions,
            lambda part: blurred(whole(part), operation.radius),
            reach=gaussian.reach(operation.radius),
            grid=gaussian.square(operation.radius),
        )
    )


def blurred(picture: Picture, sigma: float) -> Image.Image:
    """The picture, however reduced it was decoded, blurred and at its own size."""
    pixels, margin = gaussian.blurred(pixels_of(picture.image), sigma, picture.scale)
    left, top = (margin + side for side in picture.origin)
    return image_of(pixels, (left, top, left + picture.size[0], top + picture.size[1]))


def sharpen(image: Image.Image, operation: Sharpen) -> Image.Image:
    """Add to each colour, ``amount`` times, what a blur takes from it."""
    soft = blurred(whole(image), operation.radius)
    opacity = image.getchannel("A") if image.mode == "RGBA" else None
    sharp, soft_pixels = (pixels_of(each.convert("RGB") if opacity else each) for each in (image, soft))
    pixels = cv2.addWeighted(sharp, 1 + operation.amount, soft_pixels, -operation.amount, 0)
    result = image_of(pixels)
    if opacity:
        result.putalpha(opacity)
    return result
