"""The image formats Darkroom reads and writes."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType


class ImageFormat(StrEnum):
    """A file format of images, by the name the API uses for it."""

    JPEG = "jpeg"
    PNG = "png"
    WEBP = "webp"
    AVIF = "avif"
    GIF = "gif"
    TIFF = "tiff"
    BMP = "bmp"
    HEIC = "heic"


class Metadata(StrEnum):
    """What a result keeps of what its original says beside the picture."""

    NONE = "none"
    COPYRIGHT = "copyright"
    """Who made it, whose it is, and under which licence."""
    ALL = "all"
    """All of EXIF and XMP that still holds for the result, where it was taken included."""


@dataclass(frozen=True, slots=True)
class FileType:
    """What a file of a format is called: its media type and its extension, without the dot."""

    media_type: str
    extension: str


FILE_TYPES: Mapping[ImageFormat, FileType] = MappingProxyType(
    {
        ImageFormat.JPEG: FileType("image/jpeg", "jpg"),
        ImageFormat.PNG: FileType("image/png", "png"),
        ImageFormat.WEBP: FileType("image/webp", "webp"),
        ImageFormat.AVIF: FileType("image/avif", "avif"),
        ImageFormat.GIF: FileType("image/gif", "gif"),
        ImageFormat.TIFF: FileType("image/tiff", "tiff"),
        ImageFormat.BMP: FileType("image/bmp", "bmp"),
        ImageFormat.HEIC: FileType("image/heic", "heic"),
    }
)

EXTENSIONS = frozenset(
    [
        "jpg",
        "jpeg",
        "jpe",
        "jfif",
        "jif",
        "pjpeg",
        "pjp",
        "mpo",
        "png",
        "apng",
        "webp",
        "avif",
        "avifs",
        "gif",
        "tif",
        "tiff",
        "bmp",
        "dib",
        "heic",
        "heif",
        "hif",
    ]
)
"""What files of these formats are commonly called, without the dot."""

READABLE = frozenset(ImageFormat) - {ImageFormat.HEIC}
"""The formats every installation opens. HEIC needs an optional decoder in the worker."""

WRITABLE = frozenset(
    {ImageFormat.JPEG, ImageFormat.PNG, ImageFormat.WEBP, ImageFormat.AVIF, ImageFormat.GIF, ImageFormat.TIFF}
)
"""The formats a result can have."""
