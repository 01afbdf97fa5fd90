"""Write a result in its format."""

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from darkroom_contracts.formats import ImageFormat
from PIL import Image, ImageFile

from darkroom_imaging import gif_animation, palette
from darkroom_imaging.errors import ImageTooLargeError
from darkroom_imaging.failures import unexpected
from darkroom_imaging.verification import verify

QUALITY: Mapping[ImageFormat, int] = MappingProxyType(
    {ImageFormat.JPEG: 90, ImageFormat.WEBP: 80, ImageFormat.AVIF: 65}
)
"""What is taken where no quality is asked for. The scales are the encoders' own and not the same."""
OPAQUE = frozenset({ImageFormat.JPEG})
"""Formats without opacity: their results are put on white."""
_LARGEST_SIDE = {ImageFormat.JPEG: 65_500, ImageFormat.WEBP: 16_383, ImageFormat.AVIF: 32_768, ImageFormat.GIF: 65_535}
"""In pixels: what the encoders take, and for AVIF what its decoders do."""
_LONGEST = {ImageFormat.GIF: gif_animation.MAX_DURATION, ImageFormat.PNG: 65_535, ImageFormat.WEBP: 2**24 - 1}
"""Milliseconds that a frame is shown at most: what its format has room for."""
_MOST_PLAYS = 65_535
"""What a GIF and a WebP have room for."""
_NAMES = {ImageFormat.WEBP: "WebP"}
"""Where people write a format otherwise than in capitals."""
_OPTIONS: Mapping[ImageFormat, Mapping[str, Any]] = MappingProxyType(
    {
        ImageFormat.PNG: {"compress_level": 6},
        # A worker works on one image in each of its processes: threads of the encoder's would compete with those.
        ImageFormat.AVIF: {"speed": 8, "max_threads": 1},
        ImageFormat.TIFF: {"compression": "tiff_adobe_deflate"},
    }
)


@dataclass(frozen=True, slots=True)
class Animation:
    """How long each frame is shown, in milliseconds, and how often all of them; 0 is for ever."""

    durations: Sequence[float]
    plays: int


def encode(
    images: Sequence[Image.Image],
    name: ImageFormat,
    *,
    quality: int | None = None,
    profile: bytes | None = None,
    animation: Animation | None = None,
) -> tuple[bytes, int]:
    """A file with nothing in it but pixels and, where one is given, the colour profile of an RGB space.

    Args:
        images: the frames of the animation, or one image.
        name: one of the formats that can be written.
        quality: 1 to 100, for formats that have one.
        profile: is left out where the format has no place for it.
        animation: is given for more than one image.

    Returns:
        Its bytes, and how many frames it has: those that are the same are put together.

    Raises:
        ImageTooLargeError: the format cannot hold an image of this size.
        UnexpectedError: the encoder failed, or what it wrote is not what it was given.
    """
    _check_sides(images[0], name)
    with unexpected(f"Encoding the result as {_NAMES.get(name, name.upper())}"):
        data = _encoded(images, name, quality, profile, animation)
        return data, verify(data, name, images, _durations(animation, name) if animation else ())


def _encoded(
    images: Sequence[Image.Image],
    name: ImageFormat,
    quality: int | None,
    profile: bytes | None,
    animation: Animation | None,
) -> bytes:
    bare = [_bare(image, name, in_rgb=profile is not None) for image in _alike(images)]
    if name is ImageFormat.GIF and animation is not None:
        return gif_animation.animated(bare, _durations(animation, name), min(animation.plays, _MOST_PLAYS))
    if name is ImageFormat.GIF:
        bare = [palette.reduced(image, dither=True, transparent=palette.hides_something(image)) for image in bare]
    options = dict(_OPTIONS.get(name, {}))
    if name in QUALITY:
        options["quality"] = quality or QUALITY[name]
    if profile is not None and name is not ImageFormat.GIF:
        options["icc_profile"] = profile
    if animation is not None:
        options |= {
            "save_all": True,
            "append_images": bare[1:],
            "duration": _durations(animation, name),
            "loop": min(animation.plays, _MOST_PLAYS),
        }
    file = io.BytesIO()
    bare[0].save(file, name.upper(), **options)
    if animation is not None and name is ImageFormat.WEBP and bare[0].mode == "RGBA":
        _announce_opacity(file)
    return file.getvalue()


def _announce_opacity(webp: io.BytesIO) -> None:
    """Set the flag of a WebP that says that it is not opaque all over (RFC 9649, 2.7.1).

    libwebp leaves it out where every frame, cut to what changes in it, happens to be opaque.
    """
    view = webp.getbuffer()
    if bytes(view[12:16]) == b"VP8X":
        view[20] |= 0x10


def _check_sides(image: Image.Image, name: ImageFormat) -> None:
    largest = _LARGEST_SIDE.get(name)
    if largest is not None and max(image.size) > largest:
        raise ImageTooLargeError(
            f"The result measures {image.width} × {image.height} pixels; "
            f"{_NAMES.get(name, name.upper())} allows at most {largest:,} px per side."
        )


def _bare(image: Image.Image, name: ImageFormat, *, in_rgb: bool) -> Image.Image:
    """The image as its format takes it, without anything that came with its file."""
    if image.mode == "RGBA" and name in OPAQUE:
        image = flattened(image)
    elif image.mode == "L" and in_rgb:
        image = image.convert("RGB")
    elif isinstance(image, ImageFile.ImageFile):
        # Pillow writes metadata that it finds on an opened file into the new one.
        image = image.copy()
    image.info = {}
    return image


def flattened(image: Image.Image) -> Image.Image:
    """An image with opacity, on white."""
    result = Image.new("RGB", image.size, "white")
    result.paste(image, mask=image.getchannel("A"))
    return result


def _durations(animation: Animation, name: ImageFormat) -> list[int]:
    return [min(round(duration), _LONGEST[name]) for duration in animation.durations]


def _alike(images: Sequence[Image.Image]) -> Sequence[Image.Image]:
    """The frames of an animation, which a file holds in one mode."""
    modes = {image.mode for image in images}
    common = "RGBA" if "RGBA" in modes else "RGB"
    return images if len(modes) == 1 else [image.convert(common) for image in images]
