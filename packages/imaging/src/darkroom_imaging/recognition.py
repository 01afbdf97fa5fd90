"""Tell the format of an image by its first bytes, whatever its name or declared type says."""

import re

from darkroom_contracts.formats import ImageFormat

_SIGNATURES = (
    (b"\x89PNG\r\n\x1a\n", ImageFormat.PNG),
    (b"GIF87a", ImageFormat.GIF),
    (b"GIF89a", ImageFormat.GIF),
    (b"II*\0", ImageFormat.TIFF),
    (b"MM\0*", ImageFormat.TIFF),
    (b"II+\0", ImageFormat.TIFF),
    (b"MM\0+", ImageFormat.TIFF),
    (b"BM", ImageFormat.BMP),
)
_BRANDS = {
    b"avif": ImageFormat.AVIF,
    b"avis": ImageFormat.AVIF,
    b"heic": ImageFormat.HEIC,
    b"heix": ImageFormat.HEIC,
    b"heim": ImageFormat.HEIC,
    b"heis": ImageFormat.HEIC,
    b"hevc": ImageFormat.HEIC,
    b"hevx": ImageFormat.HEIC,
}
_FIRST_MARKER = re.compile(rb"\xff[\xc0-\xcf\xda-\xfe]", re.DOTALL)
"""Of a JPEG, behind which a segment begins. Decoders skip what stands before it."""
BEGINNING = 256
"""Bytes of a file that its format is told by."""


def recognised(source: bytes) -> ImageFormat | None:
    """The format these bytes begin like, or ``None`` for anything that is not read here."""
    if source[:4] == b"RIFF" and source[8:12] == b"WEBP":
        return ImageFormat.WEBP
    if source[4:8] == b"ftyp":
        return _by_brand(source)
    if source.startswith(b"\xff\xd8") and (source[2:3] == b"\xff" or _FIRST_MARKER.search(source, 2, BEGINNING)):
        return ImageFormat.JPEG
    return next((name for signature, name in _SIGNATURES if source.startswith(signature)), None)


def _by_brand(source: bytes) -> ImageFormat | None:
    # ISO/IEC 14496-12, 4.3: the length of the box, `ftyp`, the major brand, a version, then the compatible brands.
    end = min(int.from_bytes(source[:4], "big"), BEGINNING)
    brands = [source[8:12], *(source[at : at + 4] for at in range(16, end, 4))]
    return next((_BRANDS[brand] for brand in brands if brand in _BRANDS), None)
