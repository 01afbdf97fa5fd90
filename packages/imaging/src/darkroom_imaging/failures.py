"""What libraries raise that nobody foresaw, made an error with a sentence."""

import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager

import cv2
from PIL import ImageCms

from darkroom_imaging.errors import ImageError, UnexpectedError

# Not all of Exception: a caller may throw an exception of its own into its thread, such as one for a time limit.
_OF_LIBRARIES = (
    OSError,
    SyntaxError,
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
    ArithmeticError,
    AssertionError,
    BufferError,
    EOFError,
    RuntimeError,
    struct.error,
    zlib.error,
    cv2.error,
    ImageCms.PyCMSError,
)


@contextmanager
def unexpected(what: str) -> Iterator[None]:
    """Turn whatever a library fails with into an error with a sentence.

    Args:
        what: the subject of the sentence.

    Raises:
        UnexpectedError: something failed.
        MemoryError: there is too little memory.
    """
    try:
        yield
    except ImageError:
        raise
    except _OF_LIBRARIES as error:
        if isinstance(error, cv2.error) and error.code == cv2.Error.StsNoMem:
            raise MemoryError(str(error)) from error
        raise UnexpectedError(f"{what} failed unexpectedly.") from error
