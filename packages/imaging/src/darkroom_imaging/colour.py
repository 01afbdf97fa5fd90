"""Bring whatever a file holds to eight bits of grey, RGB or RGB with opacity, in sRGB."""

import io
from functools import lru_cache

import numpy as np
from PIL import Image, ImageCms

from darkroom_imaging.deep_tiff import OPACITY
from darkroom_imaging.levels import to_eight_bits
from darkroom_imaging.metadata import MAX_PROFILE_BYTES

_PROFILE_SPACES = {"L": "GRAY", "RGB": "RGB ", "CMYK": "CMYK", "LAB": "Lab "}
_SIXTEEN_BITS = ("I;16", "I;16L", "I;16B", "I;16N", "I")
_ROUNDING = 1
"""Levels by which the curves and primaries of one sRGB profile differ from those of another."""
_UNREADABLE = (ImageCms.PyCMSError, OSError, ValueError, TypeError)


def profile_of(image: Image.Image) -> bytes | None:
    """The colour profile of the file, if there is one worth reading."""
    profile = image.info.get("icc_profile")
    return profile if isinstance(profile, bytes) and 0 < len(profile) <= MAX_PROFILE_BYTES else None


def in_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """The image in mode L, RGB or RGBA, its colours converted from the profile to sRGB.

    A profile that cannot be read, or is not of the kind of the image's colours, is taken for sRGB.
    """
    beside = image.info.get(OPACITY)
    image = _in_known_mode(image)
    opacity = image.getchannel("A") if image.mode in ("LA", "RGBA") else beside
    colours = image.convert(image.mode[:-1]) if image.mode in ("LA", "RGBA") else image
    converted = _converted(colours, profile)
    if opacity is None:
        return converted
    if converted is colours and image.mode == "RGBA":
        return image
    converted = converted.convert("RGB")
    converted.putalpha(opacity)
    return converted


def describes_rgb(profile: bytes | None) -> bool:
    """Whether pictures in RGB can carry this profile."""
    return profile is not None and _space(profile) == _PROFILE_SPACES["RGB"]


def _in_known_mode(image: Image.Image) -> Image.Image:
    """The image in one of the modes L, LA, RGB, RGBA, CMYK and LAB."""
    if image.mode in _SIXTEEN_BITS or image.mode == "F":
        return _in_eight_bits(image)
    if image.mode in ("La", "PA"):
        image = image.convert("LA" if image.mode == "La" else "RGBA")
    if image.has_transparency_data:
        return image if image.mode in ("LA", "RGBA") else image.convert("RGBA")
    if image.mode == "1":
        return image.convert("L")
    return image if image.mode in _PROFILE_SPACES else image.convert("RGB")


def _in_eight_bits(image: Image.Image) -> Image.Image:
    levels = np.asarray(image)
    grey = Image.fromarray(to_eight_bits(levels))
    transparent = image.info.get("transparency")
    if isinstance(transparent, int):
        grey = grey.convert("LA")
        grey.putalpha(Image.fromarray(np.where(levels == transparent, 0, 255).astype(np.uint8)))
    return grey


def _converted(image: Image.Image, profile: bytes | None) -> Image.Image:
    if image.mode == "LAB":
        profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    if profile is not None and _space(profile) == _PROFILE_SPACES[image.mode]:
        transform = _transform(profile, image.mode)
        if transform is not None:
            return _plain(transform.apply(image), image.mode)
    return image if image.mode in ("L", "RGB") else image.convert("RGB")


def _plain(image: Image.Image, mode: str) -> Image.Image:
    return image.convert("L") if mode == "L" else image


@lru_cache(maxsize=4)
def _space(profile: bytes) -> str | None:
    """The colours a profile describes, in the words of the ICC's specification (ISO 15076-1, 7.2.8)."""
    try:
        return ImageCms.ImageCmsProfile(io.BytesIO(profile)).profile.xcolor_space
    except _UNREADABLE:
        return None


@lru_cache(maxsize=4)
def _transform(profile: bytes, mode: str) -> ImageCms.ImageCmsTransform | None:
    """From the profile to sRGB; ``None`` where it is sRGB already, or leads nowhere."""
    try:
        transform = ImageCms.ImageCmsTransform(
            ImageCms.ImageCmsProfile(io.BytesIO(profile)),
            ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")),
            mode,
            "RGB",
            ImageCms.Intent.RELATIVE_COLORIMETRIC,
            flags=ImageCms.Flags.BLACKPOINTCOMPENSATION,
        )
        return None if mode == "RGB" and _changes_nothing(transform) else transform
    except _UNREADABLE:
        return None


def _changes_nothing(transform: ImageCms.ImageCmsTransform) -> bool:
    """Whether colours all over the space stay what they are, but for rounding. Names of profiles cannot be trusted."""
    levels = np.linspace(0, 255, 18).round().astype(np.uint8)
    colours = np.stack(np.meshgrid(levels, levels, levels, indexing="ij"), axis=-1).reshape(18, -1, 3)
    changed = np.asarray(transform.apply(Image.fromarray(colours)))
    return int(np.abs(changed.astype(int) - colours).max()) <= _ROUNDING
