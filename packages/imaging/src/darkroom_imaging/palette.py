"""Reduce an image to the 256 colours of a GIF."""

from PIL import Image

TRANSPARENT = 255
"""The number of the transparent colour, in images that have one."""
_COLOURS = 256
_HALF = 128


def hides_something(image: Image.Image) -> bool:
    """Whether a pixel is less than half opaque."""
    return image.mode == "RGBA" and image.getchannel("A").histogram()[:_HALF] != [0] * _HALF


def reduced(image: Image.Image, *, dither: bool, transparent: bool) -> Image.Image:
    """The image in mode L or P; with a transparent colour, what is less than half opaque has it.

    Args:
        image: in mode L, RGB or RGBA.
        dither: mix colours that are missing out of dots. In an animation these would flicker.
        transparent: keep a colour for what is transparent.
    """
    if not transparent:
        return image if image.mode == "L" else _quantized(image.convert("RGB"), _COLOURS, dither=dither)
    opaque = image.convert("RGB")
    result = _quantized(opaque, _COLOURS - 1, dither=dither)
    # All of the palette is written, so that it has a place for the transparent colour.
    colours = result.getpalette() or []
    result.putpalette(colours + [0] * (3 * _COLOURS - len(colours)))
    if image.mode == "RGBA":
        hidden = image.getchannel("A").point([255 * (level < _HALF) for level in range(256)])
        result.paste(TRANSPARENT, mask=hidden)
    result.info["transparency"] = TRANSPARENT
    return result


def _quantized(image: Image.Image, colours: int, *, dither: bool) -> Image.Image:
    chosen = image.quantize(colours)
    if not dither or image.getcolors(colours) is not None:
        return chosen
    return image.quantize(palette=chosen, dither=Image.Dither.FLOYDSTEINBERG)
