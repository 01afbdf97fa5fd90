"""Write a result in its format."""

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from darkroom_contracts.formats import ImageFormat
from PIL import Image, ImageFile, PngImagePlugin

from darkroom_imaging import exif, gif_animation, palette, smaller
from darkroom_imaging.embedded import Embedded
from darkroom_imaging.errors import ImageTooLargeError, ResultTooLargeError
from darkroom_imaging.failures import unexpected
from darkroom_imaging.fitting import NothingFitsError, fit
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


@dataclass(frozen=True, slots=True)
class Target:
    """How a result is written down."""

    format: ImageFormat
    """One of those that can be written."""
    quality: int | None = None
    """1 to 100, for formats that have one."""
    max_bytes: int | None = None
    """Of the file. The quality is lowered until it fits."""
    smallest: bool = False
    """Whether more time is taken to write the same pixels in fewer bytes, where the format gives room for that."""
    profile: bytes | None = None
    """The colour profile of an RGB space. It is left out where the format has no place for it."""
    embedded: Embedded | None = None
    """What the file says beside its picture, where the format has a place for that."""


def encode(images: Sequence[Image.Image], target: Target, animation: Animation | None = None) -> tuple[bytes, int]:
    """A file with nothing in it but pixels, and what ``target`` brings.

    Args:
        images: the frames of the animation, or one image.
        target: how they are written down.
        animation: is given for more than one image.

    Returns:
        Its bytes, and how many frames it has: those that are the same are put together.

    Raises:
        ImageTooLargeError: the format cannot hold an image of this size.
        ResultTooLargeError: it cannot be made to fit ``max_bytes``.
        UnexpectedError: the encoder failed, or what it wrote is not what it was given.
    """
    name = target.format
    _check_sides(images[0], name)
    with unexpected(f"Encoding the result as {_NAMES.get(name, name.upper())}"):
        bare = [_bare(image, name, in_rgb=target.profile is not None) for image in _alike(images)]
        data = _fitting(bare, target, animation)
        return data, verify(data, name, images, _durations(animation, name) if animation else ())


def _fitting(bare: Sequence[Image.Image], target: Target, animation: Animation | None) -> bytes:
    """The file, of a quality at which it fits."""
    name, quality = target.format, target.quality or QUALITY.get(target.format, 0)
    if target.max_bytes is None:
        return _smallest(bare, target, quality, animation)
    if name in QUALITY:
        try:
            return fit(name, quality, target.max_bytes, lambda tried: _smallest(bare, target, tried, animation)).data
        except NothingFitsError as error:
            raise ResultTooLargeError(
                f"The result does not fit {target.max_bytes:,} bytes: at the lowest quality it has {error.smallest:,}. "
                "Make the image smaller with resize, or raise max_bytes."
            ) from None
    data = _smallest(bare, target, quality, animation)
    if len(data) > target.max_bytes:
        raise ResultTooLargeError(
            f"The result does not fit {target.max_bytes:,} bytes: it has {len(data):,}, and {name.upper()} has no "
            "quality to lower. Make the image smaller with resize, raise max_bytes, or convert to jpeg, webp or avif."
        )
    return data


def _smallest(bare: Sequence[Image.Image], target: Target, quality: int, animation: Animation | None) -> bytes:
    """The file, in as few bytes as the target's effort allows."""
    data = _encoded(bare, target, quality, animation)
    if not target.smallest or animation is not None:
        return data
    match target.format:
        case ImageFormat.JPEG:
            return smaller.jpeg(data)
        case ImageFormat.PNG:
            numbered = smaller.with_palette(bare[0])
            if numbered is None:
                return min(data, _encoded(bare, target, quality, None, optimize=True), key=len)
            return min(data, _encoded([numbered], target, quality, None), key=len)
        case _:
            return data


def _encoded(
    bare: Sequence[Image.Image], target: Target, quality: int, animation: Animation | None, **more: Any
) -> bytes:
    name = target.format
    if name is ImageFormat.GIF and animation is not None:
        return gif_animation.animated(bare, _durations(animation, name), min(animation.plays, _MOST_PLAYS))
    if name is ImageFormat.GIF:
        bare = [palette.reduced(image, dither=True, transparent=palette.hides_something(image)) for image in bare]
    options = dict(_OPTIONS.get(name, {})) | more
    if name in QUALITY:
        options["quality"] = quality
    if target.profile is not None and name is not ImageFormat.GIF:
        options["icc_profile"] = target.profile
    if target.embedded is not None:
        options |= _metadata_options(target.embedded, name)
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
    if target.embedded is not None and name is ImageFormat.TIFF:
        # Pillow would write letters that are not ASCII as question marks.
        return exif.into_tiff(file.getvalue(), target.embedded.exif, target.embedded.xmp)
    return file.getvalue()


def _metadata_options(embedded: Embedded, name: ImageFormat) -> Mapping[str, Any]:
    tags = exif.write(embedded.exif) if embedded.exif else b""
    match name:
        case ImageFormat.JPEG:
            return {"exif": tags, "xmp": embedded.xmp}
        case ImageFormat.PNG:
            texts = PngImagePlugin.PngInfo()
            if embedded.xmp:
                texts.add_itxt("XML:com.adobe.xmp", embedded.xmp.decode())
            return {"exif": tags.removeprefix(exif.PREFIX), "pnginfo": texts}
        case ImageFormat.WEBP | ImageFormat.AVIF:
            return {"exif": tags.removeprefix(exif.PREFIX), "xmp": embedded.xmp or b""}
        case _:
            return {}


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
        # Pillow writes metadata that it finds on an opened file into the new one. This shares the file's pixels.
        image = image._new(image.im)
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
