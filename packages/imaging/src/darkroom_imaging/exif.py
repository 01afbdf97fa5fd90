"""Read and write EXIF: the tags that still hold for a picture whose pixels have been changed.

Values are copied as they are, which keeps text in whatever encoding it has. Only tags that are known to describe a
photograph are kept: others may hold a preview of it, which would show what was blurred or cut off. That goes for the
notes of a camera's maker, too, which moreover point to places of the old file.
"""

import io
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TypeAlias

from darkroom_imaging.scanning import BrokenError, Budget, BudgetSpentError, Scanner, TruncatedError
from darkroom_imaging.tiff_directory import SIZES, Directory, Entry, read, read_at

PREFIX = b"Exif\0\0"
"""What stands before EXIF in a JPEG."""
ARTIST, COPYRIGHT, XMP, IPTC = 0x013B, 0x8298, 0x02BC, 0x83BB
MAX_BYTES = 60_000
"""Of all values: a JPEG has room for 65,527 bytes of EXIF."""
_CAMERA, _PLACE = 0x8769, 0x8825
_MAX_VALUE_BYTES = 16_384
_TYPES = frozenset({*range(1, 13), 129})
"""Those that EXIF has: all of TIFF, and text in UTF-8."""
_FRACTIONS = (5, 10)
"""Types whose values are two numbers of four bytes."""
_ASCII, _LONG = 2, 4
_JPEG = b"\xff\xd8\xff"
_UTF_16_COMMENT = b"UNICODE\0"
_BROKEN = (BrokenError, BudgetSpentError, TruncatedError, struct.error, ValueError, OverflowError)

_IMAGE_TAGS = frozenset(
    {0x010D, 0x010E, 0x010F, 0x0110, 0x011A, 0x011B, 0x011D, 0x0128, 0x0131, 0x0132, ARTIST, 0x013C, COPYRIGHT}
    | {0x4746, 0x4749, 0x9C9B, 0x9C9C, 0x9C9D, 0x9C9E, 0x9C9F}
)
"""Descriptions, camera, resolution, software, time, author, copyright, rating, and the titles that Windows writes. Not
the orientation, since results are upright, nor how the pixels are written down."""
_CAMERA_TAGS = frozenset(
    {0x829A, 0x829D, 0x8822, 0x8824, 0x8827, 0x9000, 0x9003, 0x9004, 0x9286, 0xA20B, 0xA20E, 0xA20F, 0xA210, 0xA215}
    | {0xA217, 0xA300, 0xA301, 0xA420, 0xA460, 0xA461}
    | {*range(0x8830, 0x8836), *range(0x9010, 0x9013), *range(0x9201, 0x920B), *range(0x9290, 0x9293)}
    | {*range(0x9400, 0x9406), *range(0xA401, 0xA40B), 0xA40C, *range(0xA430, 0xA43D)}
)
"""All that CIPA DC-008 (EXIF 3.0) knows of how a photograph was taken, but for its size, its space of colour and the
notes of the maker."""
_PLACE_TAGS = frozenset(range(32))


@dataclass(frozen=True, slots=True)
class Tag:
    """What a tag says."""

    type: int
    count: int
    value: bytes
    """Its numbers begin with their lowest byte."""


Tags: TypeAlias = Mapping[int, Tag]


@dataclass(frozen=True, slots=True)
class Exif:
    """The tags of a file, by their number."""

    image: Tags = field(default_factory=dict)
    camera: Tags = field(default_factory=dict)
    place: Tags = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.image or self.camera or self.place)


def parse(tiff: bytes, *, everything: bool) -> Exif:
    """The tags that are kept; none of a directory that is broken.

    Args:
        tiff: the bytes of the EXIF, or a whole TIFF.
        everything: not only author and copyright.
    """
    tiff = tiff.removeprefix(PREFIX)
    scanner = Scanner(io.BytesIO(tiff), Budget())
    try:
        directory = read(scanner)
    except _BROKEN:
        return Exif()
    if not everything:
        return Exif(dict(_tags(tiff, directory, frozenset({ARTIST, COPYRIGHT}))))
    camera, place = (
        dict(_tags(tiff, _below(scanner, directory, tag), known))
        for tag, known in ((_CAMERA, _CAMERA_TAGS), (_PLACE, _PLACE_TAGS))
    )
    return _within_limit(Exif(dict(_tags(tiff, directory, _IMAGE_TAGS)), camera, place))


def blob(tiff: bytes, tag: int, limit: int) -> bytes | None:
    """The bytes of a tag of a TIFF, such as its XMP; ``None`` where there are none, or more than ``limit``."""
    try:
        entry = read(Scanner(io.BytesIO(tiff), Budget())).entries.get(tag)
    except _BROKEN:
        return None
    length = entry.count * SIZES.get(entry.type, 0) if entry else 0
    return tiff[entry.place : entry.place + length] if entry and 0 < length <= limit else None


def text(tag: Tag | None) -> str:
    """What a tag says in letters. The standard asks for ASCII; most write UTF-8."""
    parts = tag.value.split(b"\0") if tag is not None and tag.type in (_ASCII, 129) else []
    return ", ".join(filter(None, (decoded(part).strip() for part in parts)))


def decoded(data: bytes) -> str:
    """Text of which nobody says how it is encoded."""
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data.decode("latin-1")


def text_tag(value: str) -> Tag:
    """A tag that says something in letters."""
    data = value.encode() + b"\0"
    return Tag(_ASCII, len(data), data)


def write(exif: Exif) -> bytes:
    """EXIF as formats carry it, with its prefix."""
    return PREFIX + struct.pack("<2sHI", b"II", 42, 8) + _directories(exif, 8)


def into_tiff(tiff: bytes, exif: Exif, xmp: bytes | None) -> bytes:
    """A TIFF with these tags beside its own. Its directory is written anew, at its end.

    Args:
        tiff: its numbers begin with their lowest byte.
        exif: the tags; those that the TIFF has stay what they are.
        xmp: the XMP, where there is one.
    """
    (place,) = struct.unpack_from("<I", tiff, 4)
    (count,) = struct.unpack_from("<H", tiff, place)
    own = {}
    for index in range(count):
        entry = tiff[place + 2 + 12 * index : place + 14 + 12 * index]
        own[int.from_bytes(entry[:2], "little")] = entry
    image = dict(exif.image)
    if xmp is not None:
        image[XMP] = Tag(1, len(xmp), xmp)
    tiff += bytes(len(tiff) % 2)
    directories = _directories(Exif(image, exif.camera, exif.place), len(tiff), own)
    return tiff[:4] + struct.pack("<I", len(tiff)) + tiff[8:] + directories


def _below(scanner: Scanner, directory: Directory, tag: int) -> Directory:
    """The directory that a tag points to; an empty one where it points to none."""
    try:
        if place := directory.first(scanner, tag):
            return read_at(scanner, place, directory.order, big=directory.big)
    except _BROKEN:
        pass
    return Directory(directory.order, directory.big, {})


def _tags(tiff: bytes, directory: Directory, known: frozenset[int]) -> Iterator[tuple[int, Tag]]:
    for tag in sorted(known & directory.entries.keys()):
        entry = directory.entries[tag]
        length = entry.count * SIZES[entry.type] if entry.type in _TYPES else 0
        value = tiff[entry.place : entry.place + length] if 0 < length <= _MAX_VALUE_BYTES else b""
        if len(value) == length > 0 and _JPEG not in value:
            yield tag, Tag(entry.type, entry.count, value if directory.order == "<" else _turned(entry, value))


def _turned(entry: Entry, value: bytes) -> bytes:
    """The value with the lowest byte of its numbers first."""
    if value.startswith(_UTF_16_COMMENT):
        width, head = 2, len(_UTF_16_COMMENT)
    else:
        width, head = 4 if entry.type in _FRACTIONS else SIZES[entry.type], 0
    numbers = (value[at : at + width][::-1] for at in range(head, len(value), width))
    return value[:head] + b"".join(numbers)


def _within_limit(exif: Exif) -> Exif:
    """Without its longest values, where all of them are too long together."""
    directories = [dict(exif.image), dict(exif.camera), dict(exif.place)]
    sizes = sorted(
        (len(tag.value) + 12, number, index) for index, tags in enumerate(directories) for number, tag in tags.items()
    )
    total = sum(size for size, _, _ in sizes)
    while total > MAX_BYTES:
        size, number, index = sizes.pop()
        del directories[index][number]
        total -= size
    return Exif(*directories)


def _directories(exif: Exif, place: int, own: Mapping[int, bytes] = MappingProxyType({})) -> bytes:
    """The first directory, which begins at ``place`` of its file, and those it points to.

    Args:
        exif: the tags.
        place: an even number.
        own: entries of the first directory that are written down already.
    """
    below = [(tag, tags) for tag, tags in ((_CAMERA, exif.camera), (_PLACE, exif.place)) if tags]
    image = {tag: value for tag, value in exif.image.items() if tag not in own}
    pointers = {tag: Tag(_LONG, 1, bytes(4)) for tag, _ in below}
    after, written = place + len(_directory(image | pointers, place, own)), b""
    for tag, tags in below:
        pointers[tag] = Tag(_LONG, 1, struct.pack("<I", after + len(written)))
        written += _directory(tags, after + len(written), {})
    return _directory(image | pointers, place, own) + written


def _directory(tags: Tags, place: int, own: Mapping[int, bytes]) -> bytes:
    entries, values = dict(own), b""
    first = place + 6 + 12 * (len(own) + len(tags))
    for tag, told in tags.items():
        inline = told.value.ljust(4, b"\0")
        if len(told.value) > 4:
            inline = struct.pack("<I", first + len(values))
            values += told.value + bytes(len(told.value) % 2)
        entries[tag] = struct.pack("<HHI", tag, told.type, told.count) + inline
    ordered = b"".join(entries[tag] for tag in sorted(entries))
    return struct.pack("<H", len(entries)) + ordered + bytes(4) + values
