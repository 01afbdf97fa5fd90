"""What libraries raise that nobody foresaw, made an error with a sentence."""

from collections.abc import Iterator
from contextlib import contextmanager

import cv2
from PIL import ImageCms

from darkroom_imaging.errors import LIBRARY_ERRORS, ImageError, UnexpectedError

_OF_LIBRARIES: tuple[type[Exception], ...] = (*LIBRARY_ERRORS, BufferError, cv2.error, ImageCms.PyCMSError)


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
