"""Reduce an image to the 256 colours of a GIF."""

from PIL import Image

_COLOURS = 256
_HALF = 128


def reduced(image: Image.Image) -> Image.Image:
    """The image in mode L or P; what is less than half opaque becomes transparent, all else opaque."""
    if image.mode == "L":
        return image
    if image.mode == "RGB":
        return image.quantize(_COLOURS)
    hidden = image.getchannel("A").point([255 * (level < _HALF) for level in range(256)])
    if hidden.getextrema()[1] == 0:
        return image.convert("RGB").quantize(_COLOURS)
    result = image.convert("RGB").quantize(_COLOURS - 1)
    result.paste(_COLOURS - 1, mask=hidden)
    result.info["transparency"] = _COLOURS - 1
    return result
