"""What can be wrong with an image or with what was asked of it."""

import struct
import zlib
from typing import ClassVar

from darkroom_contracts.problems import ProblemCode

# Not all of Exception: a caller may throw an exception of its own into its thread, such as one for a time limit.
LIBRARY_ERRORS: tuple[type[Exception], ...] = (
    OSError,
    SyntaxError,
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
    ArithmeticError,
    AssertionError,
    EOFError,
    RuntimeError,
    struct.error,
    zlib.error,
)
"""What libraries raise for files and pixels they did not foresee, besides the errors that they document."""


class ImageError(ValueError):
    """The image cannot be worked on. Its text is a sentence for the owner of the image and holds nothing else."""

    code: ClassVar[ProblemCode] = ProblemCode.OPERATION_FAILED
    """The same for programs."""


class NotAnImageError(ImageError):
    """The bytes are of no format that is read here."""

    code = ProblemCode.UNSUPPORTED_IMAGE


class InvalidImageDataError(ImageError):
    """The bytes of the image are not written down in a way that can be read."""

    code = ProblemCode.INVALID_IMAGE_DATA


class DamagedImageError(ImageError):
    """The image begins like one and then is cut off or broken."""

    code = ProblemCode.DAMAGED_IMAGE


class ImageTooLargeError(ImageError):
    """The image, or the result asked for, is beyond a limit."""

    code = ProblemCode.IMAGE_TOO_LARGE


class ResultTooLargeError(ImageError):
    """The result cannot be made to fit the number of bytes that was asked for."""

    code = ProblemCode.RESULT_TOO_LARGE


class BadOperationError(ImageError):
    """An operation cannot be done, or not to this image."""


class UnexpectedError(ImageError):
    """Something failed that should not have: the fault is ours, or a library's. Its cause says which."""

    code = ProblemCode.INTERNAL_ERROR
