"""Take an image through its pipelines: decoded once, and encoded once for each output."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import MappingProxyType

from darkroom_contracts.formats import ImageFormat, Metadata
from PIL import Image

from darkroom_imaging import embedded, plan
from darkroom_imaging.embedded import Embedded
from darkroom_imaging.encoding import Animation, Target, encode
from darkroom_imaging.errors import DamagedImageError, ImageError
from darkroom_imaging.frames import ANIMATED, frames, is_animated, plays, still, still_alone
from darkroom_imaging.limits import Limits
from darkroom_imaging.operations import Convert, Operation
from darkroom_imaging.original import Original, open_original
from darkroom_imaging.picture import Picture, orientation, turned
from darkroom_imaging.steps import Studio

_NO_OVERLAYS: Mapping[str, bytes] = MappingProxyType({})
_DEFAULT = Limits()
_UNNAMED = ""
"""The name of the only output of ``process``."""


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
    metadata: Metadata = Metadata.NONE,
) -> Result:
    """Work on an image. Without operations it is turned upright, stripped of its metadata and encoded again.

    Args:
        source: the bytes of the image, of any format that is read here.
        pipeline: what is done, in this order.
        limits: how large the image and its result may be.
        overlays: the bytes of the images that watermarks name, by their ``image_id``.
        metadata: what is kept of what the file says beside its picture, where the format of the result has a place.

    Raises:
        NotAnImageError: ``source``, or an overlay, is of no format that is read here.
        DamagedImageError: it is cut off or broken.
        ImageTooLargeError: it, or what is asked for, is beyond a limit.
        ResultTooLargeError: it cannot be made to fit the bytes that ``convert`` allows.
        BadOperationError: an operation's arguments are beyond their limits or do not fit the image.
        UnexpectedError: an operation or the encoder failed, though nothing is wrong with what it was given.
        MemoryError: there is too little memory.
    """
    outputs = {_UNNAMED: ()}
    return process_outputs(source, pipeline, outputs, limits=limits, overlays=overlays, metadata=metadata)[_UNNAMED]


def process_outputs(
    source: bytes,
    pipeline: Sequence[Operation],
    outputs: Mapping[str, Sequence[Operation]],
    *,
    limits: Limits = _DEFAULT,
    overlays: Mapping[str, bytes] = _NO_OVERLAYS,
    metadata: Metadata = Metadata.NONE,
) -> Mapping[str, Result]:
    """Make several results of an image, which is decoded once.

    Each output is what ``pipeline`` and then its own operations make of the image. Its format is the one of its own
    ``convert``, else that of the pipeline's, else the original's.

    Args:
        source: the bytes of the image, of any format that is read here.
        pipeline: what is done for all outputs, once, in this order.
        outputs: what is done after that for each of them, by its name.
        limits: how large the image and each result may be.
        overlays: the bytes of the images that watermarks name, by their ``image_id``.
        metadata: what is kept of what the file says beside its picture, where the format of the result has a place.

    Returns:
        The result of each output, in the order of ``outputs``.

    Raises:
        ValueError: there is no output.
        ImageError: as for ``process``. If the fault is that of one output, the sentence begins with its name.
        MemoryError: there is too little memory.
    """
    if not outputs:
        raise ValueError("outputs needs at least one item")
    planned = [_Output(name, steps, plan.conversion([*pipeline, *steps])) for name, steps in outputs.items()]
    studio = Studio(limits, overlays)
    results: dict[str, Result] = {}
    while planned:
        original = open_original(source, limits, keep_profile=any(output.keeps_profile for output in planned))
        # The same pixels in two spaces of colour are two images.
        apart = [output for output in planned if not output.keeps_profile] if original.kept_profile else []
        now = [output for output in planned if output not in apart]
        shared = _shared(original, pipeline, now, studio)
        shared.embedded = embedded.read(source, original.format, metadata)
        del original  # which holds the decoded pixels, while encoding needs memory of its own
        for output in now:
            with _naming(output):
                results[output.name] = _result(shared, output, studio, is_last=output is now[-1])
        planned = apart
    return {name: results[name] for name in outputs}


@dataclass(frozen=True, slots=True)
class _Output:
    name: str
    steps: Sequence[Operation]
    conversion: Convert | None

    @property
    def keeps_profile(self) -> bool:
        return self.conversion is not None and self.conversion.keep_profile

    def format(self, original: ImageFormat) -> ImageFormat:
        return plan.result_format(original, self.conversion)


@dataclass(slots=True)
class _Shared:
    """What all outputs begin with."""

    pictures: list[Picture]
    """The frames of the animation, or one picture."""
    animation: Animation | None
    format: ImageFormat
    """Of the original."""
    profile: bytes | None
    """The colour profile that stays."""
    embedded: Embedded | None = None


def _shared(original: Original, pipeline: Sequence[Operation], outputs: Sequence[_Output], studio: Studio) -> _Shared:
    if any(output.format(original.format) in ANIMATED for output in outputs) and is_animated(original):
        try:
            return _animation(original, pipeline, studio)
        except DamagedImageError:
            if original.format is not ImageFormat.PNG:
                raise
            # The specification of animated PNGs recommends the still image where the animation is broken.
            original = still_alone(original)
    pipelines = [[*pipeline, *output.steps] for output in outputs]
    picture = studio.run(_still(original, pipelines, studio.limits), pipeline)
    return _Shared([picture], None, original.format, original.kept_profile)


def _animation(original: Original, pipeline: Sequence[Operation], studio: Studio) -> _Shared:
    pictures, durations = [], []
    for frame in frames(original, studio.limits):
        pictures.append(studio.run(frame.picture, pipeline))
        durations.append(frame.milliseconds)
        studio.limits.check_size(*pictures[-1].size, frames=len(pictures), what="The result")
    return _Shared(pictures, Animation(durations, plays(original)), original.format, original.kept_profile)


def _still(original: Original, pipelines: Sequence[Sequence[Operation]], limits: Limits) -> Picture:
    if original.format is not ImageFormat.JPEG:
        return still(original, limits)
    size = turned(original.file.size, orientation(original.file))
    return still(original, limits, plan.reduction(pipelines, size))


def _result(shared: _Shared, output: _Output, studio: Studio, *, is_last: bool) -> Result:
    name = output.format(shared.format)
    animation = shared.animation if name in ANIMATED else None
    images = _images(shared, output, studio, animated=animation is not None, is_last=is_last)
    conversion = output.conversion
    target = Target(
        name,
        quality=conversion.quality if conversion else None,
        max_bytes=conversion.max_bytes if conversion else None,
        smallest=conversion is not None and conversion.effort == "best",
        profile=shared.profile,
        embedded=shared.embedded,
    )
    data, count = encode(images, target, animation)
    return Result(data, name, *images[0].size, frames=count)


def _images(shared: _Shared, output: _Output, studio: Studio, *, animated: bool, is_last: bool) -> list[Image.Image]:
    pictures = shared.pictures[::-1] if animated else shared.pictures[:1]
    if is_last:
        shared.pictures = []  # nothing is kept of each, once its operations have begun
    images: list[Image.Image] = []
    while pictures:
        images.append(studio.run(pictures.pop(), output.steps, keep=not is_last).image)
        studio.limits.check_size(*images[-1].size, frames=len(images), what="The result")
    return images


@contextmanager
def _naming(output: _Output) -> Iterator[None]:
    try:
        yield
    except ImageError as error:
        if output.name == _UNNAMED:
            raise
        raise type(error)(f"{output.name}: {error}") from error.__cause__ or error
