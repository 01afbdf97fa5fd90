"""The first directory of a TIFF: what its tags say, read within limits and without a decoder."""

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from darkroom_imaging.scanning import BrokenError, Scanner

_MAX_ENTRIES = 4_096
_MAX_VALUES = 1_000_000
_INTEGERS = {1: "B", 3: "H", 4: "I", 6: "b", 8: "h", 9: "i", 16: "Q", 17: "q"}
"""The types of the values that are of interest, all of them integers."""
SIZES: Mapping[int, int] = MappingProxyType(
    {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8, 129: 1}
)
"""Bytes of a value of each type."""
WIDTH, HEIGHT = 256, 257


@dataclass(frozen=True, slots=True)
class Entry:
    """Where the values of a tag stand."""

    type: int
    count: int
    place: int


@dataclass(frozen=True, slots=True)
class Directory:
    """The tags of an image in a TIFF."""

    order: str
    """Of bytes: ``<`` or ``>``."""
    big: bool
    """Whether it is a BigTIFF, whose places are written in 64 bits."""
    entries: Mapping[int, Entry]

    def values(self, scanner: Scanner, tag: int) -> tuple[int, ...]:
        """The integers of a tag; none where it is not there or holds something else."""
        entry = self.entries.get(tag)
        if entry is None or entry.type not in _INTEGERS or entry.count > _MAX_VALUES:
            return ()
        return self._integers(scanner, entry, entry.count)

    def first(self, scanner: Scanner, tag: int) -> int | None:
        """The first integer of a tag, whatever stands behind it."""
        entry = self.entries.get(tag)
        if entry is None or entry.type not in _INTEGERS or entry.count < 1:
            return None
        return self._integers(scanner, entry, 1)[0]

    def _integers(self, scanner: Scanner, entry: Entry, count: int) -> tuple[int, ...]:
        form = f"{self.order}{count}{_INTEGERS[entry.type]}"
        scanner.seek(entry.place)
        return struct.unpack(form, scanner.take(struct.calcsize(form)))


def walk(scanner: Scanner) -> None:
    """Find the size of the first image. Where a TIFF ends cannot be told without decoding it."""
    directory = read(scanner)
    width, height = directory.first(scanner, WIDTH), directory.first(scanner, HEIGHT)
    if width is None or height is None or width < 1 or height < 1:
        raise BrokenError
    scanner.size = width, height


def read(scanner: Scanner) -> Directory:
    """The first directory.

    Raises:
        TruncatedError: the file ends before it does.
        BrokenError: it has more entries than any image needs.
        BudgetSpentError: it has more than are looked at.
    """
    scanner.seek(0)
    start = scanner.take(8)
    order = "<" if start[:2] == b"II" else ">"
    big = 43 in start[2:4]
    if big:
        (place,) = struct.unpack(f"{order}Q", scanner.take(8))
    else:
        (place,) = struct.unpack(f"{order}I", start[4:])
    return read_at(scanner, place, order, big=big)


def read_at(scanner: Scanner, place: int, order: str, *, big: bool = False) -> Directory:
    """The directory that stands at ``place``.

    Raises:
        TruncatedError: the file ends before it does.
        BrokenError: it has more entries than any image needs.
        BudgetSpentError: it has more than are looked at.
    """
    if place > scanner.length:
        raise BrokenError
    scanner.seek(place)
    form, entry_form = (f"{order}Q", f"{order}HHQ8x") if big else (f"{order}H", f"{order}HHI4x")
    (count,) = struct.unpack(form, scanner.take(struct.calcsize(form)))
    if count > _MAX_ENTRIES:
        raise BrokenError
    scanner.step(count)
    entries, inline = {}, 8 if big else 4
    size = struct.calcsize(entry_form)
    at = place + struct.calcsize(form)
    data = scanner.take(size * count)
    for index, (tag, kind, values) in enumerate(struct.iter_unpack(entry_form, data)):
        end = (index + 1) * size
        where = at + end - inline
        if values * SIZES.get(kind, 1) > inline:
            where = int.from_bytes(data[end - inline : end], "little" if order == "<" else "big")
        entries[tag] = Entry(kind, values, min(where, scanner.length))
    return Directory(order, big, entries)
