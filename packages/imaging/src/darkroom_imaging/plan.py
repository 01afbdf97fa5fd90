"""Plan pipelines as a whole: how little has to be decoded, and what the results are written as."""

from collections.abc import Collection, Sequence

from darkroom_contracts.formats import WRITABLE, ImageFormat

from darkroom_imaging import gaussian
from darkroom_imaging.effects.resize import ENOUGH, layout
from darkroom_imaging.operations import Blur, Convert, Operation, Resize

_REDUCTIONS = (8, 4, 2)
"""What JPEG's decoder can divide both sides by, at less cost than decoding all."""
_INSTEAD = {ImageFormat.BMP: ImageFormat.PNG, ImageFormat.HEIC: ImageFormat.JPEG}
"""What an original in a format that is not written becomes."""


def conversion(pipeline: Sequence[Operation]) -> Convert | None:
    """The last of the pipeline's conversions, which is the one that counts."""
    return next((step for step in reversed(pipeline) if isinstance(step, Convert)), None)


def result_format(original: ImageFormat, conversion: Convert | None) -> ImageFormat:
    """The format of the result."""
    if conversion is not None:
        return ImageFormat(conversion.format)
    return original if original in WRITABLE else _INSTEAD[original]


def reduction(pipelines: Collection[Sequence[Operation]], size: tuple[int, int]) -> int:
    """By how much a picture of ``size`` may be smaller when it is decoded for all pipelines: 1, 2, 4 or 8.

    Only the first operation can make up for a reduced picture.
    """
    allowed = min(_allowed(_first(pipeline), size) for pipeline in pipelines)
    return next((step for step in _REDUCTIONS if step <= min(allowed, *size)), 1)


def _first(pipeline: Sequence[Operation]) -> Operation | None:
    return next((step for step in pipeline if not isinstance(step, Convert)), None)


def _allowed(first: Operation | None, size: tuple[int, int]) -> float:
    match first:
        case Resize():
            return layout(first, size).reduction / ENOUGH
        case Blur(regions=None):
            return gaussian.decodable(first.radius)
        case _:
            return 1
