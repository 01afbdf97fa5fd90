"""Put the frames of an animation together: what each shows is its own part, and what the frames before it left."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum, auto

from PIL import Image

from darkroom_imaging.pixels import Box

_NOTHING = (0, 0, 0, 0)


class Disposal(Enum):
    """What happens to a part once its frame has been shown."""

    KEEP = auto()
    CLEAR = auto()
    """Its area becomes transparent."""
    RESTORE = auto()
    """Its area becomes what it was before."""


@dataclass(frozen=True, slots=True)
class Part:
    """The part of the canvas that a frame changes."""

    left: int
    top: int
    width: int
    height: int
    milliseconds: float
    disposal: Disposal
    blended: bool
    """Whether what is transparent in it leaves what was there before."""
    file: Callable[[], bytes]
    """Gives its pixels, as a still image of the format of the animation."""

    def visible(self, size: tuple[int, int]) -> Box | None:
        """What of it lies on a canvas of ``size``; ``None`` where nothing does."""
        left, top = min(self.left, size[0]), min(self.top, size[1])
        right, bottom = min(self.left + self.width, size[0]), min(self.top + self.height, size[1])
        return (left, top, right, bottom) if left < right and top < bottom else None


@dataclass(frozen=True, slots=True)
class FrameSequence:
    """The frames of a file, as it holds them."""

    size: tuple[int, int]
    """Of the canvas. What reaches beyond it is not shown."""
    plays: int
    """How often the frames are shown; 0 is for ever."""
    parts: Sequence[Part]


def composed(sequence: FrameSequence, decode: Callable[[Part], Image.Image]) -> Iterator[Image.Image]:
    """Each frame as it is seen, as large as the canvas, in mode L, RGB or RGBA.

    Args:
        sequence: the frames.
        decode: gives the pixels of a part in mode L, RGB or RGBA. It is not asked for parts that are not seen.
    """
    canvas = Image.new("RGBA", sequence.size)
    for part in sequence.parts:
        box = part.visible(sequence.size)
        if box is None:
            yield _opaque_if_possible(canvas.copy())
            continue
        before = canvas.crop(box) if part.disposal is Disposal.RESTORE else None
        seen = _clipped(decode(part), part, box)
        _draw(canvas, seen, box, blended=part.blended)
        whole = box == (0, 0, *sequence.size) and seen.mode != "RGBA"
        yield seen if whole else _opaque_if_possible(canvas.copy())
        if part.disposal is Disposal.CLEAR:
            canvas.paste(_NOTHING, box)
        elif before is not None:
            canvas.paste(before, box)


def _clipped(image: Image.Image, part: Part, box: Box) -> Image.Image:
    left, top, right, bottom = box
    if (right - left, bottom - top) == image.size:
        return image
    return image.crop((left - part.left, top - part.top, right - part.left, bottom - part.top))


def _draw(canvas: Image.Image, image: Image.Image, box: Box, *, blended: bool) -> None:
    if blended and image.mode == "RGBA":
        canvas.alpha_composite(image, box[:2])
    else:
        canvas.paste(image.convert("RGBA"), box)


def _opaque_if_possible(image: Image.Image) -> Image.Image:
    return image.convert("RGB") if image.getchannel("A").getextrema()[0] == 255 else image
