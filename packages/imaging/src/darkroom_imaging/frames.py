"""Read the pictures of an original: one, or the frames of an animation."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from darkroom_contracts.formats import ImageFormat
from PIL import Image

from darkroom_imaging.colour import in_srgb
from darkroom_imaging.limits import Limits
from darkroom_imaging.original import Original, decoding
from darkroom_imaging.picture import Picture, orientation, upright

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
    file = original.file
    # The first picture of an animated PNG can be one for viewers that show no animations.
    number = first = 1 if file.info.get("default_image") else 0
    while _found(file, number):
        limits.check_size(*file.size, frames=number - first + 1)
        with decoding():
            file.load()
        picture = _picture(original, file.size)
        # The file's own pixels change with the next frame.
        own = replace(picture, image=picture.image.copy()) if picture.image is file else picture
        yield Frame(own, float(file.info.get("duration") or 0))
        number += 1


def still(original: Original, reduction: int = 1) -> Picture:
    """The first picture of an original, decoded at 1/``reduction`` of its size where that is more than 1.

    Raises:
        DamagedImageError: it cannot be decoded to its end.
    """
    file, size = original.file, original.file.size
    with decoding():
        if reduction > 1:
            file.draft(file.mode, (size[0] // reduction, size[1] // reduction))
        file.load()
    # Pillow turns a TIFF upright while it loads, which changes its size.
    return _picture(original, size if reduction > 1 else file.size, reduction)


def plays(original: Original) -> int:
    """How often the animation is shown; 0 is for ever."""
    loop = original.file.info.get("loop")
    if original.format is not ImageFormat.GIF:
        return loop if isinstance(loop, int) else 0
    # A GIF says how often it is shown again, and is shown once where it says nothing.
    return 1 if loop is None else loop + 1 if loop else 0


def is_animated(original: Original) -> bool:
    """Whether the original has several frames that are shown one after the other.

    Raises:
        DamagedImageError: that cannot be told.
    """
    with decoding():
        return original.format in ANIMATED and bool(getattr(original.file, "is_animated", False))


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
