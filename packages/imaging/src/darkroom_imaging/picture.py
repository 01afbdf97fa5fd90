"""A picture while it is worked on."""

import struct
from dataclasses import dataclass

from PIL import Image

from darkroom_imaging.quiet import quietly

_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_ON_ITS_SIDE = (5, 6, 7, 8)
_MIRRORS_X = (2, 3, 7, 8)
_MIRRORS_Y = (3, 4, 6, 7)
_ORIENTATION = 0x0112
_BROKEN_EXIF = (OSError, SyntaxError, ValueError, TypeError, KeyError, IndexError, OverflowError, struct.error)


@dataclass(frozen=True, slots=True)
class Picture:
    """Pixels, and what of the picture they stand for.

    A decoder can hand a picture out at a reduced size for a fraction of the cost, in which case each pixel is the mean
    of a square of ``scale`` by ``scale`` of the picture's own. Those squares need not end where the picture does.
    """

    image: Image.Image
    """In mode L, RGB or RGBA."""
    size: tuple[int, int]
    """The picture's own width and height in pixels."""
    scale: int = 1
    origin: tuple[int, int] = (0, 0)
    """Where the picture begins in what ``image`` covers, in the picture's own pixels."""


def whole(image: Image.Image) -> Picture:
    """The picture that has just these pixels."""
    return Picture(image, image.size)


def orientation(image: Image.Image) -> int:
    """The EXIF orientation, 1 to 8; 1, which is upright, where there is none that can be read.

    What XMP says is of no account, for browsers as for libvips. Pillow turns a TIFF by itself while it loads.
    """
    try:
        with quietly():
            if image.format == "PNG" and "exif" not in image.info:
                image.load()  # it may stand behind the pixels
            exif = Image.Exif()
            exif.load(image.info.get("exif", b""))
            value = exif.get(_ORIENTATION, 1)
    except _BROKEN_EXIF:
        return 1
    return value if value in _TURNS else 1


def turned(size: tuple[int, int], orientation: int) -> tuple[int, int]:
    """Width and height after an EXIF orientation has been applied."""
    return size[::-1] if orientation in _ON_ITS_SIDE else size


def upright(picture: Picture, orientation: int) -> Picture:
    """The picture with its EXIF orientation applied to its pixels."""
    if orientation not in _TURNS:
        return picture
    # What the reduced pixels cover beyond the picture, at its right and its bottom, comes to lie on other sides.
    covered = [side * picture.scale for side in picture.image.size]
    near = picture.origin
    far = [covered[axis] - near[axis] - picture.size[axis] for axis in (0, 1)]
    left = far[0] if orientation in _MIRRORS_X else near[0]
    top = far[1] if orientation in _MIRRORS_Y else near[1]
    return Picture(
        picture.image.transpose(_TURNS[orientation]),
        turned(picture.size, orientation),
        picture.scale,
        turned((left, top), orientation),
    )
