"""Write an animated GIF.

Pillow encodes the frames; what each of them changes is found here. Pillow takes the transparent for the colour that
stands at its place in the palette, and so leaves out pixels of that colour, and adds up the durations of frames that
are the same to more than a GIF can say.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass

from PIL import GifImagePlugin, Image, ImageChops

from darkroom_imaging import palette
from darkroom_imaging.pixels import Box

MAX_DURATION = 655_350
"""Milliseconds, which are hundredths of a second in the file, in 16 bits."""
_KEEP, _CLEAR = 1, 2
_PIXEL = (0, 0, 1, 1)


@dataclass(slots=True)
class _Frame:
    image: Image.Image
    """In mode P."""
    box: Box
    milliseconds: float


def animated(images: Sequence[Image.Image], durations: Sequence[float], plays: int) -> bytes:
    """The bytes of a GIF of these frames; what is less than half opaque becomes transparent.

    Args:
        images: all of one size and mode: L, RGB or RGBA.
        durations: how long each is shown, in milliseconds.
        plays: how often all are shown; 0 is for ever.
    """
    transparent = any(palette.hides_something(image) for image in images)
    frames: list[_Frame] = []
    seen: Image.Image | None = None
    for image, milliseconds in zip(images, durations, strict=True):
        reduced = palette.reduced(image, dither=False, transparent=transparent).convert("P")
        before, seen = seen, reduced.convert("RGBA" if transparent else "RGB")
        changed = ImageChops.difference(before, seen).getbbox(alpha_only=False) if before else (0, 0, *seen.size)
        if changed is None and frames[-1].milliseconds + milliseconds <= MAX_DURATION:
            frames[-1].milliseconds += milliseconds
            continue
        # What is transparent can only follow on nothing, so each frame is cleared away and the next drawn whole.
        box = seen.getbbox() if transparent and frames else changed
        frames.append(_Frame(reduced, box or _PIXEL, milliseconds))
    header = struct.pack("<6sHHBBB", b"GIF89a", *images[0].size, 0, 0, 0)
    return b"".join((header, _loop(plays), *(_written(frame, transparent=transparent) for frame in frames), b";"))


def _loop(plays: int) -> bytes:
    # A GIF counts how often it is shown again, and says nothing where it is shown once.
    if plays == 1:
        return b""
    return struct.pack("<BBB11sBBHB", 0x21, 0xFF, 11, b"NETSCAPE2.0", 3, 1, max(0, plays - 1), 0)


def _written(frame: _Frame, *, transparent: bool) -> bytes:
    part = frame.image.crop(frame.box)
    index = {"transparency": palette.TRANSPARENT} if transparent else {}
    blocks = GifImagePlugin.getdata(
        part,
        frame.box[:2],
        duration=frame.milliseconds,
        disposal=_CLEAR if transparent else _KEEP,
        include_color_table=True,
        **index,
    )
    return b"".join(blocks)
