"""Read the pictures of an original: one, or the frames of an animation."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from darkroom_contracts.formats import ImageFormat
from PIL import Image

from darkroom_imaging.colour import in_srgb
from darkroom_imaging.errors import DamagedImageError
from darkroom_imaging.limits import Limits
from darkroom_imaging.original import Original, decoding, opened
from darkroom_imaging.picture import Picture, orientation, upright
from darkroom_imaging.sequences import FrameSequence, Part, composed

ANIMATED = frozenset({ImageFormat.GIF, ImageFormat.WEBP, ImageFormat.PNG})
"""The formats whose animations are kept."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One picture of an animation, and how long it is shown."""

    picture: Picture
    milliseconds: float = 0


def frames(original: Original, limits: Limits) -> Iterator[Frame]:
    """All frames of an original, each complete, whatever it leaves of the one before.

    Raises:
        DamagedImageError: it cannot be decoded to its end.
        ImageTooLargeError: its frames together are beyond a limit.
    """
    sequence = original.sequence
    if sequence is None:
        yield from _frames_of_decoder(original, limits)
        return
    limits.check_size(*sequence.size, frames=len(sequence.parts))
    turn = orientation(original.file)
    for part, image in zip(sequence.parts, _images(original, sequence, limits), strict=True):
        yield Frame(upright(Picture(image, image.size), turn), part.milliseconds)


def still(original: Original, limits: Limits, reduction: int = 1) -> Picture:
    """The first picture of an original, decoded at 1/``reduction`` of its size where that is more than 1.

    Raises:
        DamagedImageError: it cannot be decoded to its end.
        ImageTooLargeError: its first frame is beyond a limit.
    """
    if original.sequence is not None:
        try:
            image = next(_images(original, original.sequence, limits))
        except DamagedImageError:
            if original.format is not ImageFormat.PNG:
                raise
            # The still image of an animated PNG can be sound where its frames are not.
            return still(still_alone(original), limits)
        return upright(Picture(image, image.size), orientation(original.file))
    file, size = original.file, original.file.size
    with decoding():
        if reduction > 1:
            file.draft(file.mode, (size[0] // reduction, size[1] // reduction))
        file.load()
    # Pillow turns a TIFF upright while it loads, which changes its size.
    return _picture(original, size if reduction > 1 else file.size, reduction)


def still_alone(original: Original) -> Original:
    """An animated PNG as viewers see it that know nothing of animations."""
    return replace(original, sequence=None)


def plays(original: Original) -> int:
    """How often the animation is shown; 0 is for ever."""
    if original.sequence is not None:
        return original.sequence.plays
    loop = original.file.info.get("loop")
    return loop if isinstance(loop, int) else 0


def is_animated(original: Original) -> bool:
    """Whether the original has several frames that are shown one after the other.

    Raises:
        DamagedImageError: that cannot be told.
    """
    if original.sequence is not None:
        return len(original.sequence.parts) > 1
    with decoding():
        return original.format is ImageFormat.WEBP and bool(getattr(original.file, "is_animated", False))


def _images(original: Original, sequence: FrameSequence, limits: Limits) -> Iterator[Image.Image]:
    def decode(part: Part) -> Image.Image:
        limits.check_size(part.width, part.height, what="A frame of the image")
        with decoding():
            file = opened(part.file(), original.format)
            file.load()
            return in_srgb(file, original.profile)

    return composed(sequence, decode)


def _frames_of_decoder(original: Original, limits: Limits) -> Iterator[Frame]:
    file = original.file
    number = 0
    while _found(file, number):
        number += 1
        limits.check_size(*file.size, frames=number)
        with decoding():
            file.load()
        picture = _picture(original, file.size)
        # The file's own pixels change with the next frame.
        own = replace(picture, image=picture.image.copy()) if picture.image is file else picture
        yield Frame(own, float(file.info.get("duration") or 0))


def _found(file: Image.Image, number: int) -> bool:
    with decoding():
        try:
            file.seek(number)
        except EOFError:
            return False
        return True


def _picture(original: Original, size: tuple[int, int], scale: int = 1) -> Picture:
    turn = orientation(original.file)
    with decoding():
        image = in_srgb(original.file, original.profile)
    return upright(Picture(image, size, scale), turn)
