"""GIFs and animated PNGs put together byte by byte, also such as no encoder would write."""

import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

from PIL import Image

PALETTE = ((255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255))
"""The colours of every GIF made here, by their number."""
SIGNATURE = b"\x89PNG\r\n\x1a\n"


@dataclass(frozen=True, slots=True)
class GifFrame:
    """A block of one colour."""

    box: tuple[int, int, int, int]
    """Left, top, width, height."""
    colour: int
    disposal: int = 0
    transparent: int | None = None
    hundredths: int = 10


def gif(screen: tuple[int, int], *frames: GifFrame, background: int = 0, extensions: bytes = b"") -> bytes:
    """A GIF whose frames are where they are said to be."""
    header = b"GIF89a" + struct.pack("<HHBBB", *screen, 0x81, background, 0) + bytes(sum(PALETTE, ()))
    return header + extensions + b"".join(map(_gif_frame, frames)) + b";"


def _gif_frame(frame: GifFrame) -> bytes:
    flags = frame.disposal << 2 | (frame.transparent is not None)
    control = struct.pack("<BBBBHBB", 0x21, 0xF9, 4, flags, frame.hundredths, frame.transparent or 0, 0)
    return control + b"," + struct.pack("<HHHHB", *frame.box, 0) + _codes(frame)


def _codes(frame: GifFrame) -> bytes:
    """Codes of three bits: 4 clears the table, so often that it never grows, and 5 ends the image."""
    area = frame.box[2] * frame.box[3]
    codes = [code for _ in range(area) for code in (4, frame.colour)] + [5]
    bits = sum(code << 3 * place for place, code in enumerate(codes))
    data = bits.to_bytes(-(-3 * len(codes) // 8), "little")
    blocks = (data[at : at + 255] for at in range(0, len(data), 255))
    return b"\x02" + b"".join(bytes([len(block)]) + block for block in blocks) + b"\0"


def chunk(name: bytes, body: bytes) -> bytes:
    """A chunk of a PNG with its checksum."""
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


@dataclass(frozen=True, slots=True)
class PngFrame:
    """A frame of an animated PNG."""

    image: Image.Image
    """In mode RGBA."""
    left: int = 0
    top: int = 0
    disposal: int = 0
    blended: bool = False

    @property
    def data(self) -> bytes:
        """Its pixels, as a PNG holds them."""
        rows = self.image.tobytes()
        width = 4 * self.image.width
        return zlib.compress(b"".join(b"\0" + rows[at : at + width] for at in range(0, len(rows), width)))

    def control(self, number: int) -> bytes:
        """Its fcTL chunk."""
        place = (number, *self.image.size, self.left, self.top)
        return chunk(b"fcTL", struct.pack(">IIIIIHHBB", *place, 1, 10, self.disposal, self.blended))


def apng(frames: Sequence[PngFrame], *, hidden: Image.Image | None = None, plays: int = 0) -> list[bytes]:
    """The chunks of an animated PNG; with ``hidden``, that is the still image, and no frame of it."""
    size = (hidden or frames[0].image).size
    chunks = [
        chunk(b"IHDR", struct.pack(">IIBBBBB", *size, 8, 6, 0, 0, 0)),
        chunk(b"acTL", struct.pack(">II", len(frames), plays)),
    ]
    if hidden is not None:
        chunks.append(chunk(b"IDAT", PngFrame(hidden).data))
    number = 0
    for place, frame in enumerate(frames):
        chunks.append(frame.control(number))
        number += 1
        if place == 0 and hidden is None:
            chunks.append(chunk(b"IDAT", frame.data))
        else:
            chunks.append(chunk(b"fdAT", struct.pack(">I", number) + frame.data))
            number += 1
    return [*chunks, chunk(b"IEND", b"")]


def png_of(chunks: Sequence[bytes]) -> bytes:
    """The file of these chunks."""
    return SIGNATURE + b"".join(chunks)
