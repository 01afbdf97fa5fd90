"""A first look at an image: what its header and its structure say. No pixel is ever decoded here."""

import struct
import zlib
from dataclasses import dataclass
from typing import BinaryIO

from darkroom_contracts.formats import READABLE, ImageFormat
from darkroom_contracts.problems import ProblemCode
from PIL import Image

from darkroom_api.uploads.truncation import TruncatedError, check_complete

# The limit held here is our own, and names the numbers; Pillow's would only warn.
Image.MAX_IMAGE_PIXELS = None

_FORMATS = tuple(form.value.upper() for form in sorted(READABLE))
_DAMAGED = (
    ArithmeticError,
    AttributeError,
    EOFError,
    LookupError,
    OSError,
    RuntimeError,
    SyntaxError,
    TypeError,
    ValueError,
    struct.error,
    zlib.error,
)
"""What Pillow's readers raise over headers that lie."""


class UnfitImageError(Exception):
    """An image that cannot be worked on, with the reason as a sentence."""

    def __init__(self, reason: str, code: ProblemCode) -> None:
        super().__init__(reason)
        self.code = code


@dataclass(frozen=True, slots=True)
class Header:
    """What an image's header says."""

    format: ImageFormat
    width: int
    height: int


def inspect(file: BinaryIO, *, max_pixels: int) -> Header:
    """Look at an image's header and structure.

    Raises:
        UnfitImageError: it is no image of a format we read, has too many pixels, or is certain to be incomplete.
    """
    header = _read_header(file)
    if header.width * header.height > max_pixels:
        raise UnfitImageError(
            f"It has {header.width} x {header.height} pixels, and at most {max_pixels:,} are taken.",
            ProblemCode.IMAGE_TOO_LARGE,
        )
    try:
        check_complete(file, header.format)
    except TruncatedError:
        raise UnfitImageError(
            f"The {header.format.upper()} file ends too early; it is not complete.", ProblemCode.DAMAGED_IMAGE
        ) from None
    return header


def identify(file: BinaryIO) -> ImageFormat:
    """The format of a file that passed ``inspect`` before."""
    return _read_header(file).format


def _read_header(file: BinaryIO) -> Header:
    if not file.read(1):
        raise UnfitImageError("The file is empty.", ProblemCode.DAMAGED_IMAGE)
    file.seek(0)
    try:
        with Image.open(file, formats=_FORMATS) as image:
            form = "jpeg" if image.format == "MPO" else str(image.format).lower()  # a JPEG that holds several
            return Header(ImageFormat(form), image.width, image.height)
    except _DAMAGED as error:
        if isinstance(error, OSError) and error.errno:
            raise  # the storage failed, not the image
        raise UnfitImageError(
            f"It is no image of a format that is read here: {', '.join(_FORMATS)}.", ProblemCode.UNSUPPORTED_IMAGE
        ) from None
