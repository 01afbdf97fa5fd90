"""Read the structure of an animated PNG (PNG, third edition, 11.3.6), whose frames are decoded one by one.

A sequence that breaks a rule is none, and what is shown is the still image, as the specification recommends.
"""

import struct
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeAlias

from darkroom_imaging.sequences import Disposal, FrameSequence, Part

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_CONTROL = struct.Struct(">IIIIIHHBB")
_DISPOSALS = (Disposal.KEEP, Disposal.CLEAR, Disposal.RESTORE)
_SHARED = (b"PLTE", b"tRNS", b"gAMA", b"cHRM", b"sRGB", b"sBIT", b"cICP")
"""The chunks that say what the pixels of every frame mean. Its profile is read once for all."""
_OF_ANIMATION = (b"acTL", b"fcTL", b"fdAT")

_Chunk: TypeAlias = tuple[bytes, memoryview]


class _BrokenSequenceError(ValueError):
    """The chunks of the animation break a rule."""


@dataclass(slots=True)
class _Frame:
    control: memoryview
    data: list[memoryview]
    is_still: bool
    """Whether viewers that show no animations show this frame."""


def animates(source: bytes) -> bool:
    """Whether a PNG says of itself that it is an animation."""
    return source.startswith(_SIGNATURE) and source.find(b"acTL", 0, max(0, source.find(b"IDAT"))) > 0


def still_image(source: bytes) -> bytes:
    """The PNG without its animation."""
    kept = (_packed(name, body) for name, body in _chunks(source) if name not in _OF_ANIMATION)
    return b"".join((_SIGNATURE, *kept))


def read(source: bytes) -> FrameSequence | None:
    """The frames of an animated PNG; ``None`` where their sequence is broken, or there is none."""
    if not animates(source):
        return None
    try:
        return _sequence(list(_chunks(source)))
    except (ValueError, LookupError, struct.error):
        return None


def _chunks(source: bytes) -> Iterator[_Chunk]:
    view = memoryview(source)
    at = len(_SIGNATURE)
    while at + 8 <= len(source):
        length, name = struct.unpack_from(">I4s", view, at)
        yield name, view[at + 8 : at + 8 + length]
        at += length + 12


def _packed(name: bytes, body: bytes | memoryview) -> bytes:
    return b"".join((struct.pack(">I", len(body)), name, body, struct.pack(">I", zlib.crc32(body, zlib.crc32(name)))))


def _sequence(chunks: Sequence[_Chunk]) -> FrameSequence:
    header = bytes(chunks[0][1])
    size = struct.unpack(">II", header[:8])
    (announced,) = [body for name, body in chunks if name == b"acTL"]
    count, plays = struct.unpack(">II", announced)
    _check_order(chunks)
    frames = _frames(chunks)
    if not frames or len(frames) != count or not all(frame.data for frame in frames):
        raise _BrokenSequenceError("frames are missing, or too many")
    first = [name for name, _ in chunks].index(b"IDAT")
    shared = b"".join(_packed(name, body) for name, body in chunks[:first] if name in _SHARED)
    return FrameSequence(size, plays, [_part(frame, size, header, shared) for frame in frames])


def _check_order(chunks: Sequence[_Chunk]) -> None:
    """The chunks of the frames are numbered from 0."""
    numbers = [body[:4] for name, body in chunks if name in (b"fcTL", b"fdAT")]
    if numbers != [struct.pack(">I", number) for number in range(len(numbers))]:
        raise _BrokenSequenceError("chunks are missing, or in another order")


def _frames(chunks: Sequence[_Chunk]) -> list[_Frame]:
    frames: list[_Frame] = []
    before = b""
    images_seen = False
    for name, body in chunks:
        if name == b"fcTL":
            if frames and not frames[-1].data:
                raise _BrokenSequenceError("a frame has no pixels")
            frames.append(_Frame(body, [], is_still=not images_seen))
        elif name == b"fdAT":
            if not images_seen or not frames or frames[-1].is_still:
                raise _BrokenSequenceError("pixels belong to no frame")
            frames[-1].data.append(body[4:])
        elif name == b"IDAT":
            if images_seen and before != b"IDAT":
                raise _BrokenSequenceError("the still image is in several parts")
            images_seen = True
            if frames:  # else it is an image for viewers that show no animations
                frames[-1].data.append(body)
        before = name
    return frames


def _part(frame: _Frame, size: tuple[int, int], header: bytes, shared: bytes) -> Part:
    _, width, height, left, top, delay, divisor, disposal, blending = _CONTROL.unpack(frame.control)
    if not (0 < width <= size[0] - left and 0 < height <= size[1] - top) or blending > 1:
        raise _BrokenSequenceError("a frame lies outside of the image")
    if frame.is_still and (width, height) != size:
        raise _BrokenSequenceError("the still image is not all of the first frame")
    alone = partial(_alone, struct.pack(">II", width, height) + header[8:], shared, frame.data)
    return Part(
        left,
        top,
        width,
        height,
        1000 * delay / (divisor or 100),
        _DISPOSALS[disposal],
        blended=blending == 1,
        file=alone,
    )


def _alone(header: bytes, shared: bytes, data: Sequence[memoryview]) -> bytes:
    """A PNG of one frame."""
    images = [_packed(b"IDAT", body) for body in data]
    return b"".join((_SIGNATURE, _packed(b"IHDR", header), shared, *images, _packed(b"IEND", b"")))
