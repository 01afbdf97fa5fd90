"""Take an image through a pipeline: decoded once, encoded once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from darkroom_contracts.formats import ImageFormat
from PIL import Image

from darkroom_imaging import plan
from darkroom_imaging.encoding import Animation, encode
from darkroom_imaging.errors import DamagedImageError
from darkroom_imaging.frames import ANIMATED, frames, is_animated, plays, still, still_alone
from darkroom_imaging.limits import Limits
from darkroom_imaging.operations import Operation
from darkroom_imaging.original import Original, open_original
from darkroom_imaging.picture import Picture, orientation, turned
from darkroom_imaging.steps import Studio

_NO_OVERLAYS: Mapping[str, bytes] = MappingProxyType({})
_DEFAULT = Limits()


@dataclass(frozen=True, slots=True)
class Result:
    """An image that came out of a pipeline."""

    data: bytes
    format: ImageFormat
    width: int
    height: int
    frames: int = 1


def process(
    source: bytes,
    pipeline: Sequence[Operation] = (),
    *,
    limits: Limits = _DEFAULT,
    overlays: Mapping[str, bytes] = _NO_OVERLAYS,
) -> Result:
    """Work on an image. Without operations it is turned upright, stripped of its metadata and encoded again.

    Args:
        source: the bytes of the image, of any format that is read here.
        pipeline: what is done, in this order.
        limits: how large the image and its result may be.
        overlays: the bytes of the images that watermarks name, by their ``image_id``.

    Raises:
        NotAnImageError: ``source``, or an overlay, is of no format that is read here.
        DamagedImageError: it is cut off or broken.
        ImageTooLargeError: it, or what is asked for, is beyond a limit.
        BadOperationError: an operation's arguments are beyond their limits or do not fit the image.
        UnexpectedError: an operation or the encoder failed, though nothing is wrong with what it was given.
        MemoryError: there is too little memory.
    """
    conversion = plan.conversion(pipeline)
    original = open_original(source, limits, keep_profile=conversion is not None and conversion.keep_profile)
    name = plan.result_format(original.format, conversion)
    studio = Studio(limits, overlays)
    images, animation = _images(original, name, pipeline, studio)
    quality, profile = conversion.quality if conversion else None, original.kept_profile
    del original  # which holds the decoded pixels, while encoding needs memory of its own
    data, count = encode(images, name, quality=quality, profile=profile, animation=animation)
    return Result(data, name, *images[0].size, frames=count)


def _images(
    original: Original, name: ImageFormat, pipeline: Sequence[Operation], studio: Studio
) -> tuple[list[Image.Image], Animation | None]:
    if name in ANIMATED and is_animated(original):
        try:
            return _animation(original, pipeline, studio)
        except DamagedImageError:
            if original.format is not ImageFormat.PNG:
                raise
            # The specification of animated PNGs recommends the still image where the animation is broken.
            original = still_alone(original)
    return [studio.through(_still(original, pipeline, studio.limits), pipeline)], None


def _still(original: Original, pipeline: Sequence[Operation], limits: Limits) -> Picture:
    if original.format is not ImageFormat.JPEG:
        return still(original, limits)
    size = turned(original.file.size, orientation(original.file))
    return still(original, limits, plan.reduction(pipeline, size))


def _animation(
    original: Original, pipeline: Sequence[Operation], studio: Studio
) -> tuple[list[Image.Image], Animation]:
    images, durations = [], []
    for frame in frames(original, studio.limits):
        images.append(studio.through(frame.picture, pipeline))
        durations.append(frame.milliseconds)
        studio.limits.check_size(*images[-1].size, frames=len(images), what="The result")
    return images, Animation(durations, plays(original))
