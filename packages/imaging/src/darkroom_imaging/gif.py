"""Read the structure of a GIF (GIF89a), whose frames are decoded one by one and put together here.

Pillow puts them together otherwise than browsers do: it enlarges the screen by frames that reach beyond it, and fills
what is disposed of with a colour.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from io import BytesIO

from darkroom_imaging.sequences import Disposal, FrameSequence, Part

_HEADER = struct.Struct("<6sHHBBB")
_DESCRIPTOR = struct.Struct("<HHHHB")
_EXTENSION, _IMAGE, _TRAILER = b"!", b",", b";"
_GRAPHIC_CONTROL, _APPLICATION = 0xF9, 0xFF
_LOOPS = (b"NETSCAPE2.0", b"ANIMEXTS1.0")
_PALETTE, _INTERLACED, _TRANSPARENT = 0x80, 0x40, 0x01
_DISPOSALS = {2: Disposal.CLEAR, 3: Disposal.RESTORE, 4: Disposal.RESTORE}
"""By their number; the others keep. Some encoders have written 4 for 3, and browsers take it so."""


@dataclass(frozen=True, slots=True)
class _Control:
    """What is said of a frame ahead of it."""

    milliseconds: int = 0
    disposal: Disposal = Disposal.KEEP
    transparent: int | None = None


def read(source: bytes) -> FrameSequence:
    """The frames of a GIF.

    Raises:
        ValueError: there is none.
        struct.error: it is cut off within a header.
    """
    file = BytesIO(source)
    _, width, height, flags, _, _ = _HEADER.unpack(file.read(_HEADER.size))
    palette = _palette(file, flags)
    parts: list[Part] = []
    plays = 1  # where nothing is said
    control = _Control()
    for kind in _blocks(file):
        if kind == _EXTENSION:
            label = file.read(1)
            blocks = list(_sub_blocks(file))
            if label == bytes([_GRAPHIC_CONTROL]) and blocks and len(blocks[0]) >= 4:
                control = _control(blocks[0])
            elif label == bytes([_APPLICATION]) and blocks and blocks[0][:11] in _LOOPS:
                plays = _plays(blocks[1:], plays)
        else:
            parts.append(_part(file, memoryview(source), palette, control))
            control = _Control()
    if not parts:
        raise ValueError("there is no frame")
    first = parts[0]
    # Where the size of the screen is left out, the first frame tells it.
    size = width or first.left + first.width, height or first.top + first.height
    return FrameSequence(size, plays, parts)


def _blocks(file: BytesIO) -> Iterator[bytes]:
    """The kind of each block that matters, with the file standing behind it. What is between blocks is skipped."""
    while (kind := file.read(1)) and kind != _TRAILER:
        if kind in (_EXTENSION, _IMAGE):
            yield kind


def _sub_blocks(file: BytesIO) -> Iterator[bytes]:
    while (length := file.read(1)) not in (b"", b"\0"):
        yield file.read(length[0])


def _palette(file: BytesIO, flags: int) -> bytes:
    return file.read(3 << (flags & 7) + 1) if flags & _PALETTE else b""


def _control(block: bytes) -> _Control:
    flags, hundredths, transparent = struct.unpack("<BHB", block[:4])
    return _Control(
        hundredths * 10, _DISPOSALS.get(flags >> 2 & 7, Disposal.KEEP), transparent if flags & _TRANSPARENT else None
    )


def _plays(blocks: list[bytes], plays: int) -> int:
    """A GIF says how often it is shown again; 0 is for ever."""
    for block in blocks:
        if len(block) >= 3 and block[0] == 1:
            again = int.from_bytes(block[1:3], "little")
            return again + 1 if again else 0
    return plays


def _part(file: BytesIO, source: memoryview, global_palette: bytes, control: _Control) -> Part:
    left, top, width, height, flags = _DESCRIPTOR.unpack(file.read(_DESCRIPTOR.size))
    palette = _palette(file, flags) or global_palette
    first = file.tell()
    file.seek(1, 1)  # the size of the first codes
    _skip_sub_blocks(file)
    data = source[first : file.tell()]
    alone = partial(_alone, (width, height), palette, flags & _INTERLACED, control.transparent, data)
    return Part(left, top, width, height, control.milliseconds, control.disposal, blended=True, file=alone)


def _skip_sub_blocks(file: BytesIO) -> None:
    while (length := file.read(1)) not in (b"", b"\0"):
        file.seek(length[0], 1)


def _alone(size: tuple[int, int], palette: bytes, interlaced: int, transparent: int | None, data: memoryview) -> bytes:
    """A GIF of one frame as large as its screen."""
    colours = _PALETTE | (len(palette) // 3).bit_length() - 2 if palette else 0
    control = b"" if transparent is None else struct.pack("<BBBBHBB", 0x21, 0xF9, 4, _TRANSPARENT, 0, transparent, 0)
    return b"".join(
        (
            _HEADER.pack(b"GIF89a", *size, colours, 0, 0),
            palette,
            control,
            _IMAGE,
            _DESCRIPTOR.pack(0, 0, *size, interlaced),
            data,
            _TRAILER,
        )
    )
