"""Open the bytes of an image, whoever made them."""

import importlib
import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from darkroom_contracts.formats import ImageFormat
from PIL import Image

from darkroom_imaging import apng, bmp, deep_png, deep_tiff, gif
from darkroom_imaging.colour import describes_rgb, profile_of
from darkroom_imaging.errors import LIBRARY_ERRORS, DamagedImageError, ImageTooLargeError, NotAnImageError
from darkroom_imaging.inspection import inspect, unsupported
from darkroom_imaging.limits import Limits
from darkroom_imaging.metadata import strip
from darkroom_imaging.quiet import quietly
from darkroom_imaging.scanning import BrokenError, BudgetSpentError, TruncatedError, UnsupportedError
from darkroom_imaging.sequences import FrameSequence

# Pillow's decoders take what they read at its word, and fail in one way or another.
_DECODER_ERRORS: tuple[type[Exception], ...] = (*LIBRARY_ERRORS, TruncatedError, BrokenError, BudgetSpentError)
_PLUGINS = {
    ImageFormat.JPEG: "JPEG",
    ImageFormat.PNG: "PNG",
    ImageFormat.WEBP: "WEBP",
    ImageFormat.AVIF: "AVIF",
    ImageFormat.GIF: "GIF",
    ImageFormat.TIFF: "TIFF",
    ImageFormat.BMP: "BMP",
    ImageFormat.HEIC: "HEIF",
}
"""What Pillow calls the decoder of each format. No other decoder is ever run."""


@contextmanager
def decoding() -> Iterator[None]:
    """Turn whatever a decoder fails with into an error with a sentence, and silence what it warns of.

    Raises:
        DamagedImageError: the decoder could not go on.
        ImageTooLargeError: there is not the memory for what it announces, or Pillow takes it for a bomb.
    """
    try:
        with quietly():
            yield
    except (NotAnImageError, DamagedImageError, ImageTooLargeError):
        raise
    except (MemoryError, Image.DecompressionBombError) as error:
        raise ImageTooLargeError("The image has more pixels than can be worked on here.") from error
    except _DECODER_ERRORS as error:
        raise DamagedImageError("The image is damaged or cut off: it cannot be decoded to its end.") from error


@dataclass(frozen=True, slots=True)
class Original:
    """An image that has been opened, of which nothing but the header has been read."""

    file: Image.Image
    """Of an animated GIF or PNG, the first frame or the still image alone."""
    sequence: FrameSequence | None
    """The frames of a GIF or an animated PNG."""
    format: ImageFormat
    profile: bytes | None
    """The colour profile its colours are to be converted from."""
    kept_profile: bytes | None
    """The colour profile that is to stay."""


def open_original(source: bytes, limits: Limits, *, keep_profile: bool = False) -> Original:
    """Open an image by what it is, whatever it is called.

    Raises:
        NotAnImageError: it is of no format that is read here, or of a kind of it that is not.
        DamagedImageError: it is cut off, or its header is broken.
        ImageTooLargeError: the file, or the image its header announces, is beyond a limit.
    """
    limits.check_bytes(len(source))
    # The same look as when the image was taken in: what one refuses, the other does.
    name = inspect(io.BytesIO(source), limits).format
    if name is ImageFormat.HEIC:
        importlib.import_module("pillow_heif").register_heif_opener(thumbnails=False)
    with decoding():
        bare = strip(source, name)
        sequence = _sequence(bare.source, name)
        file = opened(_without_animation(bare.source, sequence, name), name)
    limits.check_size(*(sequence.size if sequence else file.size))
    profile = bare.profile or profile_of(file)
    if keep_profile and describes_rgb(profile):
        return Original(file, sequence, name, profile=None, kept_profile=profile)
    return Original(file, sequence, name, profile=profile, kept_profile=None)


def opened(source: bytes, name: ImageFormat) -> Image.Image:
    """The file, of which nothing but the header is read before it is loaded.

    Raises:
        NotAnImageError: it is of a variant of its format that is not read.
    """

    def by_pillow() -> Image.Image:
        return Image.open(io.BytesIO(source), formats=[_PLUGINS[name]])

    match name:
        case ImageFormat.PNG:
            file = deep_png.opened(source)
        case ImageFormat.TIFF:
            try:
                file = deep_tiff.opened(source, by_pillow)
            except deep_tiff.UnsupportedTiffError as error:
                raise NotAnImageError(_unsupported_tiff(error.layout)) from None
        case ImageFormat.BMP:
            try:
                file = bmp.opened(source)
            except UnsupportedError as error:
                raise NotAnImageError(unsupported(name, error.reason)) from None
        case _:
            file = by_pillow()
    # Pillow takes an orientation from it, and turns a TIFF by it while that is loaded. Viewers do not.
    file.info.pop("xmp", None)
    return file


def _unsupported_tiff(layout: deep_tiff.Layout) -> str:
    return unsupported(
        ImageFormat.TIFF,
        f"compression {layout.compression}, photometric interpretation {layout.photometric}, "
        f"{layout.samples} samples of {layout.bits} bits",
    )


def _sequence(source: bytes, name: ImageFormat) -> FrameSequence | None:
    match name:
        case ImageFormat.GIF:
            return gif.read(source)
        case ImageFormat.PNG:
            return apng.read(source)
        case _:
            return None


def _without_animation(source: bytes, sequence: FrameSequence | None, name: ImageFormat) -> bytes:
    if name is ImageFormat.GIF and sequence is not None:
        return sequence.parts[0].file()
    return apng.still_image(source) if apng.animates(source) else source
