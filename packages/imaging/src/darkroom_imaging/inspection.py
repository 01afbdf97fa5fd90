"""A first look at a file: whether it is an image that is worked on here, and why not. No pixel is ever decoded.

What it costs is bounded for each file and, by the budget, for all files of a request together.
"""

from dataclasses import dataclass
from importlib.util import find_spec
from typing import BinaryIO

from darkroom_contracts.formats import READABLE, ImageFormat

from darkroom_imaging.errors import DamagedImageError, ImageTooLargeError, NotAnImageError
from darkroom_imaging.limits import Limits
from darkroom_imaging.recognition import BEGINNING, recognised
from darkroom_imaging.scanning import BrokenError, Budget, BudgetSpentError, Scanner, TruncatedError, UnsupportedError
from darkroom_imaging.structure import walk

_WRITTEN = {
    ImageFormat.WEBP: "WebP",
}


@dataclass(frozen=True, slots=True)
class Header:
    """What an image's header says."""

    format: ImageFormat
    width: int
    height: int


def written(name: ImageFormat) -> str:
    """A format as people write it."""
    return _WRITTEN.get(name, name.upper())


def unsupported(name: ImageFormat, reason: str) -> str:
    """The sentence for a file that may be sound, but is not read."""
    return f"This kind of {written(name)} is not supported: {reason}."


def readable() -> frozenset[ImageFormat]:
    """The formats that this installation reads."""
    return READABLE | {ImageFormat.HEIC} if find_spec("pillow_heif") else READABLE


def detect_format(beginning: bytes) -> ImageFormat:
    """The format of the file that begins with these bytes.

    Raises:
        NotAnImageError: it is of no format that is read here.
        DamagedImageError: there are none.
    """
    if not beginning:
        raise DamagedImageError("The file is empty.")
    name = recognised(beginning)
    if name not in readable():
        supported = ", ".join(written(readable_name) for readable_name in sorted(readable()))
        unread = "HEIC is not supported by this server" if name is ImageFormat.HEIC else "Unsupported image format"
        raise NotAnImageError(f"{unread}. Supported: {supported}.")
    return name


def identify(file: BinaryIO) -> ImageFormat:
    """The format of a file that passed ``inspect`` before."""
    file.seek(0)
    return detect_format(file.read(BEGINNING))


def inspect(file: BinaryIO, limits: Limits, budget: Budget | None = None) -> Header:
    """Look at an image's header and structure.

    Raises:
        NotAnImageError: it is of no format that is read here, or of a kind of it that is not.
        DamagedImageError: it is broken, or certain to be incomplete.
        ImageTooLargeError: it is beyond a limit.
    """
    name = identify(file)
    scanner = Scanner(file, budget or Budget())
    problem: Exception | None = None
    try:
        walk(scanner, name)
    except (TruncatedError, BrokenError, UnsupportedError, BudgetSpentError) as error:
        problem = error
    if isinstance(problem, UnsupportedError):
        raise NotAnImageError(unsupported(name, problem.reason))
    if scanner.size is not None:
        limits.check_size(*scanner.size)
    match problem:
        case TruncatedError():
            raise DamagedImageError(f"The {written(name)} file ends too early; it is incomplete.")
        case BudgetSpentError() if scanner.size is None:
            raise ImageTooLargeError(f"The {written(name)} file has too many parts before its image.")
        case BrokenError():
            raise DamagedImageError(f"The {written(name)} file is damaged: its header cannot be read.")
    if scanner.size is None or 0 in scanner.size:
        raise DamagedImageError(f"The {written(name)} file is damaged: it does not say how large the image is.")
    return Header(name, *scanner.size)
