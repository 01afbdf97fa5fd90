"""The boxes of AVIF and HEIC files (ISO/IEC 14496-12, 4.2)."""

from collections.abc import Iterator

from darkroom_imaging.scanning import BrokenError, Scanner, TruncatedError

_PATH = ((b"meta", 4), (b"iprp", 0), (b"ipco", 0))
"""The boxes within which sizes are written down, from the outermost, and the bytes each has before those inside it."""

_OUTERMOST = frozenset({b"ftyp", b"meta", b"mdat", b"moov", b"free", b"skip", b"uuid"})
"""The boxes that a file ends too early within. Anything else may be what was appended to it."""


def walk(scanner: Scanner) -> None:
    """Find the largest size of an image in the file, and whether its outermost boxes are all there.

    An image made of tiles and its thumbnails have sizes of their own; the one of the whole is the largest.
    """
    for kind, start, end in _boxes(scanner, 0, scanner.length):
        if kind == b"meta":
            _find_sizes(scanner, 1, start + _PATH[0][1], min(end, scanner.length))
        if kind in _OUTERMOST and end > scanner.length:
            raise TruncatedError
    if scanner.size is None:
        raise BrokenError


def _find_sizes(scanner: Scanner, depth: int, start: int, end: int) -> None:
    for kind, inside, inner_end in _boxes(scanner, start, end):
        if depth < len(_PATH) and kind == _PATH[depth][0]:
            _find_sizes(scanner, depth + 1, inside + _PATH[depth][1], min(inner_end, end))
        elif depth == len(_PATH) and kind == b"ispe":
            scanner.seek(inside + 4)
            data = scanner.take(8)
            size = int.from_bytes(data[:4], "big"), int.from_bytes(data[4:], "big")
            scanner.size = max(scanner.size or size, size, key=lambda sides: sides[0] * sides[1])


def _boxes(scanner: Scanner, start: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Type, beginning and end of each box's content. A length of 0 is up to the end, of 1 stands in 8 bytes more."""
    while start + 8 <= end:
        scanner.step()
        scanner.seek(start)
        header = scanner.take(8)
        length, inside = int.from_bytes(header[:4], "big"), start + 8
        if length == 0:
            length = end - start
        if length == 1:
            length, inside = int.from_bytes(scanner.take(8), "big"), start + 16
        if length < inside - start:
            return
        yield header[4:], inside, start + length
        start += length
