"""Reduce an image to the 256 colours of a GIF."""

from PIL import Image

_COLOURS = 256
_HALF = 128


def reduced(image: Image.Image, *, dither: bool) -> Image.Image:
    """The image in mode L or P; what is less than half opaque becomes transparent, all else opaque.

    Args:
        image: in mode L, RGB or RGBA.
        dither: mix colours that are missing out of dots. In an animation these would flicker.
    """
    if image.mode == "L":
        return image
    if image.mode == "RGB":
        return _quantized(image, _COLOURS, dither=dither)
    hidden = image.getchannel("A").point([255 * (level < _HALF) for level in range(256)])
    if hidden.getextrema()[1] == 0:
        return _quantized(image.convert("RGB"), _COLOURS, dither=dither)
    result = _quantized(image.convert("RGB"), _COLOURS - 1, dither=dither)
    result.paste(_COLOURS - 1, mask=hidden)
    result.info["transparency"] = _COLOURS - 1
    return result


def _quantized(image: Image.Image, colours: int, *, dither: bool) -> Image.Image:
    chosen = image.quantize(colours)
    if not dither or image.getcolors(colours) is not None:
        return chosen
    return image.quantize(palette=chosen, dither=Image.Dither.FLOYDSTEINBERG)
