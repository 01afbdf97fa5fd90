"""Look at a result before it is called one: that it opens, its size, its frames and how long they are shown.

Nothing is decoded, so this costs next to nothing of what encoding does.
"""

import struct
from collections.abc import Iterator, Sequence

from darkroom_contracts.formats import ImageFormat
from PIL import Image

from darkroom_imaging import apng, gif
from darkroom_imaging.original import opened
from darkroom_imaging.quiet import quietly
from darkroom_imaging.sequences import FrameSequence

_ENDS = {ImageFormat.JPEG: b"\xff\xd9", ImageFormat.PNG: b"IEND\xaeB`\x82", ImageFormat.GIF: b";"}
_ROUNDING = 10
"""Milliseconds: a GIF counts in hundredths of a second."""


class WrongResultError(RuntimeError):
    """What was encoded is not what was to be."""


def verify(data: bytes, name: ImageFormat, images: Sequence[Image.Image], durations: Sequence[float]) -> int:
    """Count the frames of a result.

    Args:
        data: the result.
        name: the format it was encoded in.
        images: what was encoded.
        durations: how long each of them is shown, in milliseconds; none where it is one image.

    Raises:
        WrongResultError: the result is another than it should be.
        OSError: it cannot be opened.
    """
    size = images[0].size
    if any(image.size != size for image in images):
        raise WrongResultError("The frames differ in size.")
    if not data.endswith(_ENDS.get(name, b"")):
        raise WrongResultError("It has no end.")
    with quietly():
        file = opened(data, name)
    if file.size != size:
        raise WrongResultError(f"It measures {file.size}, not {size}.")
    shown = _durations(data, name)
    # Frames that are the same are written as one that is shown longer.
    if not 1 <= max(1, len(shown)) <= len(images):
        raise WrongResultError(f"It has {len(shown)} frames, not {len(images)}.")
    if len(shown) > 1 and abs(sum(shown) - sum(durations)) > _ROUNDING * len(images):
        raise WrongResultError(f"It is shown for {sum(shown)} milliseconds, not {sum(durations)}.")
    return max(1, len(shown))


def _durations(data: bytes, name: ImageFormat) -> list[float]:
    """How long each frame is shown; nothing where the file is a still image."""
    match name:
        case ImageFormat.GIF:
            return _of_sequence(gif.read(data))
        case ImageFormat.PNG if apng.animates(data):
            return _of_sequence(apng.read(data))
        case ImageFormat.WEBP:
            return list(_of_webp(data))
        case _:
            return []


def _of_sequence(sequence: FrameSequence | None) -> list[float]:
    if sequence is None:
        raise WrongResultError("The sequence of its frames is broken.")
    for part in sequence.parts:
        if part.left + part.width > sequence.size[0] or part.top + part.height > sequence.size[1]:
            raise WrongResultError("A frame reaches beyond it.")
    return [part.milliseconds for part in sequence.parts]


def _of_webp(data: bytes) -> Iterator[float]:
    # RFC 9649, 2.3 and 2.7.1.1: chunks of an even length, and in those of frames their duration after their box.
    if len(data) != 8 + int.from_bytes(data[4:8], "little"):
        raise WrongResultError("It has no end.")
    at = 12
    while at + 8 <= len(data):
        name, length = struct.unpack_from("<4sI", data, at)
        if name == b"ANMF":
            yield int.from_bytes(data[at + 20 : at + 23], "little")
        at += 8 + length + length % 2
