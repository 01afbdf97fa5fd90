"""The names people give their files: kept for people, and never part of a path of ours."""

import re
import unicodedata

from darkroom_contracts.formats import FILE_TYPES, ImageFormat

MAX_LENGTH = 200
"""Characters. File systems take 255 bytes; the rest is for an extension and a number."""


def clean(name: str | None, index: int) -> str:
    """The last part of the name without anything unprintable, or ``image-{index}`` where nothing is left."""
    last = re.split(r"[/\\]", unicodedata.normalize("NFC", name or ""))[-1]
    # Category C: control characters, also those that turn the direction of text, and lone surrogates.
    printable = "".join(character for character in last if unicodedata.category(character)[0] != "C")
    return printable.strip(". ")[:MAX_LENGTH] or f"image-{index}"


def of_result(name: str, form: ImageFormat) -> str:
    """The name of a result: the original's, with the extension of the result's format."""
    return f"{_stem(name)}.{FILE_TYPES[form].extension}"


def _stem(name: str) -> str:
    stem, dot, extension = name.rpartition(".")
    return stem if dot and stem and 1 <= len(extension) <= 5 else name
