"""Find in a file what it says beside its picture, and choose what its result keeps of that.

Author and copyright stand in EXIF, XMP, IPTC and the texts of a PNG. They are looked for in this order of trust: XMP,
EXIF, IPTC, texts; and are written as EXIF and as XMP, so that every program finds them.
"""

import io
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from darkroom_contracts.formats import ImageFormat, Metadata
from PIL import Image

from darkroom_imaging import exif, xmp
from darkroom_imaging.errors import LIBRARY_ERRORS
from darkroom_imaging.exif import Exif
from darkroom_imaging.metadata import has_right_checksum, segments
from darkroom_imaging.quiet import quietly

_APP1, _APP13 = 0xE1, 0xED
_XMP_IN_JPEG = b"http://ns.adobe.com/xap/1.0/\0"
_XMP_IN_PNG = b"XML:com.adobe.xmp"
_PHOTOSHOP = b"Photoshop 3.0\0"
_IPTC_RESOURCE = 0x0404
_BY_LINE, _COPYRIGHT_NOTICE, _APPLICATION_RECORD = 80, 116, 2
_MAX_EXIF_BYTES = 1_000_000
_MAX_TEXT = 4_096
"""Letters of a name or a notice."""
_MAX_NAMES = 100
_MAX_PHOTOSHOP_SEGMENTS = 8
"""The IPTC stands in the first, mostly."""


@dataclass(frozen=True, slots=True)
class Embedded:
    """What a file says beside its picture."""

    exif: Exif
    xmp: bytes | None


@dataclass(slots=True)
class _Found:
    """The parts of a file that say something, as they stand there."""

    exif: bytes = b""
    xmp: bytes = b""
    iptc: bytes = b""
    authors: list[str] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)


def read(source: bytes, name: ImageFormat, metadata: Metadata) -> Embedded | None:
    """What the result keeps of what the file says; ``None`` where it keeps nothing. What is broken is left out.

    Args:
        source: the file.
        name: its format.
        metadata: what is to be kept.
    """
    if metadata is Metadata.NONE:
        return None
    try:
        with quietly():
            found = _found(source, name)
            return _chosen(found, everything=metadata is Metadata.ALL)
    except LIBRARY_ERRORS:
        return None


def _chosen(found: _Found, *, everything: bool) -> Embedded | None:
    tags = exif.parse(found.exif, everything=everything) if found.exif else Exif()
    properties = xmp.parse(found.xmp, everything=everything) if found.xmp else []
    _add_iptc(found)
    creators = (
        xmp.value(properties, xmp.CREATOR) or _several(exif.text(tags.image.get(exif.ARTIST))) or _clean(found.authors)
    )
    notice = next(
        iter(
            xmp.value(properties, xmp.COPYRIGHT)
            or _clean([exif.text(tags.image.get(exif.COPYRIGHT))])
            or _clean(found.notices)
        ),
        "",
    )
    missing = {
        tag: exif.text_tag(text[:_MAX_TEXT])
        for tag, text in ((exif.ARTIST, "; ".join(creators)), (exif.COPYRIGHT, notice))
        if text and tag not in tags.image
    }
    if creators and not xmp.value(properties, xmp.CREATOR):
        properties.append(xmp.creators(creators))
    if notice and not xmp.value(properties, xmp.COPYRIGHT):
        properties.append(xmp.copyright_notice(notice))
    tags = replace(tags, image={**tags.image, **missing})
    packet = xmp.write(properties) if properties else None
    return Embedded(tags, packet) if tags or packet else None


def _several(names: str) -> Sequence[str]:
    """The names of an EXIF, which puts semicolons between them."""
    return _clean(names.split(";"))


def _clean(texts: Sequence[str]) -> Sequence[str]:
    return tuple(filter(None, (text.strip("\0 \t\r\n")[:_MAX_TEXT] for text in texts[:_MAX_NAMES])))


def _found(source: bytes, name: ImageFormat) -> _Found:
    match name:
        case ImageFormat.JPEG:
            return _in_jpeg(source)
        case ImageFormat.PNG:
            return _in_png(source)
        case ImageFormat.WEBP:
            return _in_webp(source)
        case ImageFormat.TIFF:
            packet = exif.blob(source, exif.XMP, xmp.MAX_READ_BYTES)
            return _Found(source, packet or b"", exif.blob(source, exif.IPTC, xmp.MAX_READ_BYTES) or b"")
        case ImageFormat.AVIF | ImageFormat.HEIC:
            with Image.open(io.BytesIO(source), formats=["AVIF", "HEIF"]) as file:
                return _Found(_limited(file.info.get("exif")), _limited(file.info.get("xmp")))
        case _:
            return _Found()


def _limited(data: object) -> bytes:
    return data if isinstance(data, bytes) and len(data) <= _MAX_EXIF_BYTES else b""


def _in_jpeg(source: bytes) -> _Found:
    found, looked_at = _Found(), 0
    for marker, start, end in segments(source):
        if marker == _APP1 and source.startswith(exif.PREFIX, start) and not found.exif:
            found.exif = source[start:end]
        elif marker == _APP1 and source.startswith(_XMP_IN_JPEG, start) and not found.xmp:
            found.xmp = source[start + len(_XMP_IN_JPEG) : end]
        elif marker == _APP13 and source.startswith(_PHOTOSHOP, start) and not found.iptc:
            looked_at += 1
            if looked_at > _MAX_PHOTOSHOP_SEGMENTS:
                continue
            found.iptc = _iptc_of_photoshop(source[start + len(_PHOTOSHOP) : end])
    return found


def _iptc_of_photoshop(resources: bytes) -> bytes:
    """The one that holds the IPTC, of the resources that Photoshop writes."""
    at = 0
    while resources.startswith(b"8BIM", at) and at + 12 <= len(resources):
        number = int.from_bytes(resources[at + 4 : at + 6], "big")
        data = at + 6 + (resources[at + 6] + 2) // 2 * 2
        length = int.from_bytes(resources[data : data + 4], "big")
        if number == _IPTC_RESOURCE:
            return resources[data + 4 : data + 4 + length]
        at = data + 4 + length + length % 2
    return b""


def _add_iptc(found: _Found) -> None:
    for number, value in _iptc(found.iptc):
        if number == _BY_LINE:
            found.authors.append(exif.decoded(value))
        elif number == _COPYRIGHT_NOTICE:
            found.notices.append(exif.decoded(value))


def _iptc(data: bytes) -> Iterator[tuple[int, bytes]]:
    """The values of IPTC's application record (IIM 4.2), as far as they are sound."""
    at = 0
    while data[at : at + 1] == b"\x1c" and at + 5 <= len(data):
        record, number = data[at + 1], data[at + 2]
        length = int.from_bytes(data[at + 3 : at + 5], "big")
        if length & 0x8000 or at + 5 + length > len(data):
            return
        if record == _APPLICATION_RECORD:
            yield number, data[at + 5 : at + 5 + length]
        at += 5 + length


def _in_png(source: bytes) -> _Found:
    found = _Found()
    at = 8
    while len(source) - at >= 12:
        end = at + 12 + int.from_bytes(source[at : at + 4], "big")
        kind, body = source[at + 4 : at + 8], slice(at + 8, end - 4)
        if kind in (b"eXIf", b"tEXt", b"zTXt", b"iTXt") and has_right_checksum(source, at, end):
            _add_png_chunk(found, kind, source[body])
        at = end
    return found


def _add_png_chunk(found: _Found, kind: bytes, body: bytes) -> None:
    if kind == b"eXIf":
        found.exif = found.exif or body
        return
    keyword, _, rest = body.partition(b"\0")
    if keyword == _XMP_IN_PNG and kind == b"iTXt":
        found.xmp = found.xmp or _international(rest, xmp.MAX_READ_BYTES)
    elif keyword in (b"Author", b"Artist", b"Copyright"):
        texts = found.notices if keyword == b"Copyright" else found.authors
        if len(texts) == _MAX_NAMES:
            return
        match kind:
            case b"tEXt":
                texts.append(rest[:_MAX_TEXT].decode("latin-1"))
            case b"zTXt":
                texts.append(_unpacked(rest[1:], _MAX_TEXT).decode("latin-1"))
            case _:
                texts.append(exif.decoded(_international(rest, _MAX_TEXT)))


def _international(rest: bytes, limit: int) -> bytes:
    """The text of an iTXt, behind its keyword."""
    text = rest[2:].split(b"\0", 2)[-1]
    return _unpacked(text, limit) if rest[:1] == b"\1" else text


def _unpacked(data: bytes, limit: int) -> bytes:
    try:
        return zlib.decompressobj().decompress(data, limit)
    except zlib.error:
        return b""


def _in_webp(source: bytes) -> _Found:
    found, at = _Found(), 12
    while len(source) - at >= 8:
        length = int.from_bytes(source[at + 4 : at + 8], "little")
        body = source[at + 8 : at + 8 + length]
        match source[at : at + 4]:
            case b"EXIF":
                found.exif = found.exif or body
            case b"XMP ":
                found.xmp = found.xmp or body
        at += 8 + length + length % 2
    return found
