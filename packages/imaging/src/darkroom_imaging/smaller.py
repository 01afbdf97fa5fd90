"""Write the same pixels in fewer bytes, for those who would rather wait."""

import mozjpeg_lossless_optimization as mozjpeg
import numpy as np
from PIL import Image

from darkroom_imaging.pixels import bands

_COLOURS = 256
"""What a palette holds."""


def jpeg(data: bytes) -> bytes:
    """A JPEG with its coefficients coded anew, by tables made for them and progressively; all else stays."""
    return min(data, bytes(mozjpeg.optimize(data, copy=mozjpeg.COPY_MARKERS.ALL)), key=len)


def with_palette(image: Image.Image) -> Image.Image | None:
    """The same image as numbers of its colours; ``None`` where it has too many of them.

    Args:
        image: in mode L, RGB or RGBA.

    Returns:
        An image in mode P, with the opacity of its colours as ``transparency`` in its info where one is not opaque.
    """
    if image.mode == "L" or image.getcolors(_COLOURS) is None:
        return None
    # The last byte is the opacity, so those that are least opaque come first: a file can leave out the others' opacity.
    codes = np.unique(np.concatenate([np.unique(_codes(image.crop(box))) for box in bands(image.size)]))
    result = Image.new("L", image.size)
    for box in bands(image.size):
        result.paste(Image.fromarray(np.searchsorted(codes, _codes(image.crop(box))).astype(np.uint8)), box)
    colours = codes[:, None].view(np.uint8)
    result.putpalette(np.ascontiguousarray(colours[:, :3]).tobytes())
    opacity = colours[:, 3].tobytes().rstrip(b"\xff")
    if opacity:
        result.info["transparency"] = opacity
    return result


def _codes(image: Image.Image) -> np.ndarray[tuple[int, ...], np.dtype[np.uint32]]:
    return np.asarray(image.convert("RGBA")).view("<u4")[..., 0]
