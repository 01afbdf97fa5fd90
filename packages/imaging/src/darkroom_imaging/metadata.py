"""Take out of a file, before a decoder sees it, what the result does not keep anyway.

A decoder refuses images for metadata that is broken or large. What says how the pixels are meant (opacity, colour
profile, orientation) stays where it is sound, and is passed over where it is not.
"""

import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from darkroom_contracts.formats import ImageFormat

MAX_PROFILE_BYTES = 8 * 1024 * 1024
"""Of a colour profile. Those of printing presses with their tables have 2 to 4 MB."""
_PNG_SIGNATURE = 8
_PNG_KEPT = frozenset({b"tRNS", b"eXIf", b"acTL", b"fcTL", b"fdAT"})
"""Chunks of a PNG that its pixels do not need to be decoded and that say how they are meant."""
_WEBP_KEPT = frozenset({b"VP8X", b"VP8 ", b"VP8L", b"ALPH", b"ANIM", b"ANMF", b"ICCP", b"EXIF"})
_JPEG_DROPPED = frozenset({*range(0xE3, 0xEE), 0xEF, 0xFE})
_JPEG_KEPT = {0xE0: (b"JFIF\0", 14), 0xE1: (b"Exif\0", 6), 0xE2: (b"ICC_PROFILE\0", 14), 0xEE: (b"Adobe", 12)}
"""What a segment has to begin with, and how long it has to be, for it to be kept."""


@dataclass(frozen=True, slots=True)
class Bare:
    """A file without the metadata that nobody needs."""

    source: bytes
    profile: bytes | None = None
    """The colour profile, of a PNG: decoders refuse large ones."""


def strip(source: bytes, name: ImageFormat) -> Bare:
    """The file as its decoder is to see it: all of it where it has no structure."""
    match name:
        case ImageFormat.PNG:
            return _png(source)
        case ImageFormat.JPEG:
            return Bare(_jpeg(source))
        case ImageFormat.WEBP:
            return Bare(_webp(source))
        case _:
            return Bare(source)


def _png(source: bytes) -> Bare:
    kept, profile = [source[:_PNG_SIGNATURE]], None
    at = _PNG_SIGNATURE
    while len(source) - at >= 12:
        end = at + 12 + int.from_bytes(source[at : at + 4], "big")
        kind = source[at + 4 : at + 8]
        # The fifth bit of the first letter: whoever does not know the chunk can do without.
        if not kind[0] & 0x20 or (kind in _PNG_KEPT and has_right_checksum(source, at, end)):
            kept.append(source[at:end])
        elif kind == b"iCCP" and profile is None and has_right_checksum(source, at, end):
            profile = _unpacked(source[at + 8 : end - 4])
        at = end
        if kind == b"IEND":
            break
    else:
        kept.append(source[at:])
    return Bare(b"".join(kept), profile)


def has_right_checksum(source: bytes, start: int, end: int) -> bool:
    return zlib.crc32(source[start + 4 : end - 4]) == int.from_bytes(source[end - 4 : end], "big")


def _unpacked(data: bytes) -> bytes | None:
    """The profile in the body of the chunk: a name that ends in 0, the method of compression, 0, and the rest."""
    packed = data.partition(b"\0")[2][1:]
    try:
        profile = zlib.decompressobj().decompress(packed, MAX_PROFILE_BYTES + 1)
    except zlib.error:
        return None
    return profile if 0 < len(profile) <= MAX_PROFILE_BYTES else None


def _jpeg(source: bytes) -> bytes:
    if source[2:3] != b"\xff":  # Pillow does not skip what stands before the first marker, as other decoders do
        source = source[:2] + source[max(2, source.find(b"\xff", 2)) :]
    kept, copied = [], 0
    for marker, start, end in segments(source):
        name, least = _JPEG_KEPT.get(marker, (b"", 0))
        if marker in _JPEG_DROPPED or end - start < least or not source.startswith(name, start):
            kept.append(source[copied : start - 4])
            copied = end
    return b"".join([*kept, source[copied:]]) if kept else source


def segments(source: bytes) -> Iterator[tuple[int, int, int]]:
    """Marker, beginning and end of the content of each segment before the first scan, as far as they are sound."""
    at = 2
    while (at := source.find(b"\xff", at)) >= 0:
        while source[at : at + 1] == b"\xff" and source[at + 1 : at + 2] == b"\xff":
            at = _after_fill(source, at)
        marker = source[at + 1] if at + 1 < len(source) else 0xDA
        if marker in (0xD9, 0xDA):
            return
        at += 2
        if marker in (0x00, 0x01) or 0xD0 <= marker <= 0xD7:
            continue
        end = at + int.from_bytes(source[at : at + 2], "big")
        if end < at + 2 or end > len(source):
            return
        yield marker, at + 2, end
        at = end


def _after_fill(source: bytes, at: int) -> int:
    """Where the last of the bytes 0xFF stands that begin at ``at``."""
    size = 64
    while not (rest := source[at : at + size].lstrip(b"\xff")) and at + size < len(source):
        at += size - 1
        size = min(2 * size, 1 << 16)
    return min(at + size, len(source)) - len(rest) - 1


def _webp(source: bytes) -> bytes:
    kept, at, dropped = [], 12, False
    while len(source) - at >= 8:
        length = int.from_bytes(source[at + 4 : at + 8], "little")
        end = at + 8 + length + length % 2
        kind = source[at : at + 4]
        if kind in _WEBP_KEPT and (kind != b"EXIF" or end <= len(source)):
            kept.append(source[at:end])
        else:
            dropped = True
        at = end
    if not dropped or not kept:
        return source
    body = b"".join(kept)
    if body.startswith(b"VP8X") and len(body) > 8:
        exif = any(chunk.startswith(b"EXIF") for chunk in kept)
        flags = body[8] & ~0x04 & (0xFF if exif else ~0x08)
        body = body[:8] + bytes([flags]) + body[9:]
    return b"RIFF" + (len(body) + 4).to_bytes(4, "little") + b"WEBP" + body
