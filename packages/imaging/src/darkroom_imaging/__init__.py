"""Work on images: ``process(source, pipeline)`` takes the bytes of an image and gives back those of its result.

A plain library: it knows nothing of Celery, Redis or storage. Pillow decodes, encodes and transforms; OpenCV does the
arithmetic on pixels where that pays. What each operation does exactly is in ``docs/image-operations.md``.
"""

from darkroom_imaging.engine import Result, process
from darkroom_imaging.errors import (
    BadOperationError,
    DamagedImageError,
    ImageError,
    ImageTooLargeError,
    NotAnImageError,
    UnexpectedError,
)
from darkroom_imaging.limits import Limits

__all__ = [
    "BadOperationError",
    "DamagedImageError",
    "ImageError",
    "ImageTooLargeError",
    "Limits",
    "NotAnImageError",
    "Result",
    "UnexpectedError",
    "process",
]
