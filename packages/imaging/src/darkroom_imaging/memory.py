"""How much memory an image will take, told from its header and from what is to be done, before any of it is spent."""

import io
from collections.abc import Mapping, Sequence

from darkroom_contracts.formats import ImageFormat

from darkroom_imaging import apng, gif, plan
from darkroom_imaging.effects.resize import layout
from darkroom_imaging.errors import ImageError
from darkroom_imaging.frames import ANIMATED
from darkroom_imaging.inspection import Header, inspect
from darkroom_imaging.limits import Limits
from darkroom_imaging.operations import Blur, Operation, Pixelate, Resize, Rotate

# Bytes for each pixel, measured at their peaks and rounded up. Pillow takes four for a pixel in colour.
_PIXEL = 4
_DECODING = {
    ImageFormat.JPEG: 12,  # turned upright or converted to sRGB, beside the pixels of the file
    ImageFormat.PNG: 12,
    ImageFormat.WEBP: 16,
    ImageFormat.AVIF: 20,
    ImageFormat.HEIC: 20,
    ImageFormat.GIF: 12,
    ImageFormat.TIFF: 16,
    ImageFormat.BMP: 12,
}
_DECODING_DEEP = 24
"""Of a PNG or TIFF with more than eight bits for a level."""
_OPERATION = 8
"""The picture before and after an operation."""
_COSTLY_OPERATION = 17
"""Of operations that need the picture in other forms beside it."""
_ENCODING = {
    ImageFormat.JPEG: 8,
    ImageFormat.PNG: 10,
    ImageFormat.WEBP: 16,
    ImageFormat.AVIF: 28,
    ImageFormat.GIF: 24,
    ImageFormat.TIFF: 12,
}
"""Of the picture and of what its encoder takes beside it."""
_OPACITY = 4
"""What an encoder takes for that, too."""
_MORE_EFFORT = 8
_PNG_DEPTH = 24
_FIXED = 16_000_000
"""What every image takes, however small."""

_Size = tuple[int, int]


def needed_bytes(
    source: bytes,
    pipeline: Sequence[Operation],
    outputs: Mapping[str, Sequence[Operation]],
    *,
    limits: Limits,
) -> int:
    """Return the most memory that ``process_outputs`` takes for this image, beside what its process takes anyway.

    Args:
        source: the bytes of the image.
        pipeline: what is done for all outputs.
        outputs: what is done after that for each of them.
        limits: how large the image and each result may be.

    Returns:
        The bytes, rather too many than too few. A file that will be refused takes next to nothing.
    """
    try:
        header = inspect(io.BytesIO(source), limits)
    except ImageError:
        return _FIXED + len(source)
    pipelines = [[*pipeline, *operations] for operations in outputs.values()]
    size = header.width, header.height
    reduction = _reduction(header, pipelines)
    decoded = header.width * header.height // reduction**2
    frames = _frames(source, header, limits) if header.format in ANIMATED else 1
    peak = decoded * _decoding(source, header.format)
    for operations in pipelines:
        conversion = plan.conversion(operations)
        name = plan.result_format(header.format, conversion)
        shown = frames if name in ANIMATED else 1
        effort = _MORE_EFFORT if conversion is not None and conversion.effort == "best" else 0
        is_opaque = header.format is ImageFormat.JPEG and not any(isinstance(step, Rotate) for step in operations)
        opacity = 0 if is_opaque else _OPACITY
        largest, result = _largest(operations, size, decoded, limits)
        peak = max(
            peak,
            largest * max(map(_while_doing, operations), default=_OPERATION) + largest * (shown - 1) * _PIXEL,
            result * (_ENCODING[name] + opacity + effort) + result * (shown - 1) * 2 * _PIXEL,
        )
    kept = decoded * frames * _PIXEL if len(outputs) > 1 else 0
    return _FIXED + 2 * len(source) + peak + kept


def _reduction(header: Header, pipelines: Sequence[Sequence[Operation]]) -> int:
    if header.format is not ImageFormat.JPEG:
        return 1
    # It may be turned on its side, which the header does not say.
    return min(
        plan.reduction(pipelines, (header.width, header.height)),
        plan.reduction(pipelines, (header.height, header.width)),
    )


def _decoding(source: bytes, name: ImageFormat) -> int:
    is_deep = name is ImageFormat.TIFF or (name is ImageFormat.PNG and source[_PNG_DEPTH] == 16)
    return _DECODING_DEEP if is_deep else _DECODING[name]


def _frames(source: bytes, header: Header, limits: Limits) -> int:
    if header.format is ImageFormat.WEBP:
        count = source.count(b"ANMF")
    else:
        sequence = gif.read(source) if header.format is ImageFormat.GIF else apng.read(source)
        count = len(sequence.parts) if sequence else 1
    return max(1, min(count, limits.max_pixels // (header.width * header.height)))


def _largest(operations: Sequence[Operation], size: _Size, decoded: int, limits: Limits) -> tuple[int, int]:
    """Return the pixels of the largest picture on the way, and of the result, or more than those."""
    largest, now = decoded, size
    for operation in operations:
        match operation:
            case Resize():
                now = layout(operation, now).size
            case Rotate() if operation.angle % 90:
                diagonal = round((now[0] ** 2 + now[1] ** 2) ** 0.5) + 1
                now = diagonal, diagonal
            case _:
                pass
        largest = max(largest, min(now[0] * now[1], limits.max_pixels))
    return largest, min(now[0] * now[1], limits.max_pixels)


def _while_doing(operation: Operation) -> int:
    match operation:
        case Rotate() if operation.angle % 90:
            return _COSTLY_OPERATION
        case Blur() | Pixelate() if operation.regions is not None:
            return _OPERATION + _PIXEL
        case _:
            return _OPERATION
