"""Colours come out in sRGB, whatever the file's profile says and however broken it is."""

import struct

import numpy as np
import pytest
from darkroom_imaging.engine import process
from darkroom_imaging.operations import Blur, Convert, Grayscale
from PIL import Image, ImageCms
from support.pictures import decode, encode, photograph, pixels, psnr

AS_PNG = Convert(format="png")
SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def swapped_profile() -> bytes:
    """A space like sRGB in which red and green have changed places."""
    profile = SRGB.replace("sRGB".encode("utf-16-be"), "Swap".encode("utf-16-be"))
    table = profile[132 : 132 + 12 * int.from_bytes(profile[128:132], "big")]
    swapped = table.replace(b"rXYZ", b"?XYZ").replace(b"gXYZ", b"rXYZ").replace(b"?XYZ", b"gXYZ")
    return profile.replace(table, swapped)


def linear_grey_profile() -> bytes:
    """A grey whose levels are amounts of light. ISO 15076-1, 7.2 for the header, 10 for the tags."""
    white = struct.pack(">4s4x3i", b"XYZ ", 63190, 65536, 54061)
    curve = struct.pack(">4s4xI", b"curv", 0)
    name = struct.pack(">4s4xI7s", b"desc", 7, b"linear\0") + bytes(79)
    tags, at, body = [], 128 + 4 + 12 * 3, b""
    for signature, tag in ((b"wtpt", white), (b"kTRC", curve), (b"desc", name)):
        tags.append(struct.pack(">4sII", signature, at + len(body), len(tag)))
        body += tag + bytes(-len(tag) % 4)
    header = struct.pack(
        ">I4sI4s4s4s12x4s28x3i",
        at + len(body),
        b"test",
        0x02400000,
        b"mntr",
        b"GRAY",
        b"XYZ ",
        b"acsp",
        63190,
        65536,
        54061,
    )
    return header.ljust(128, b"\0") + struct.pack(">I", 3) + b"".join(tags) + body


def red_and_green_swapped(image: Image.Image) -> Image.Image:
    red, green, *rest = image.split()
    return Image.merge(image.mode, (green, red, *rest))


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "AVIF", "TIFF"])
def test_colours_are_converted_from_the_profile_to_srgb(form: str) -> None:
    picture = photograph(160, 120)
    result = decode(process(encode(picture, form, icc_profile=swapped_profile()), (AS_PNG,)).data)
    expected = red_and_green_swapped(decode(encode(picture, form)))
    assert psnr(pixels(result), pixels(expected)) > 45
    assert "icc_profile" not in result.info


def test_opacity_is_no_colour() -> None:
    picture = photograph(160, 120).convert("RGBA")
    picture.putalpha(Image.linear_gradient("L").resize(picture.size))
    result = decode(process(encode(picture, "PNG", icc_profile=swapped_profile())).data)
    assert result.getchannel("A") == picture.getchannel("A")
    assert psnr(pixels(result), pixels(red_and_green_swapped(picture))) > 45


def test_a_reduced_decode_is_converted_too() -> None:
    source = encode(photograph(640, 480), icc_profile=swapped_profile())
    plain = encode(photograph(640, 480))
    result = decode(process(source, (Blur(radius=5), AS_PNG)).data)
    expected = decode(process(plain, (Blur(radius=5), AS_PNG)).data)
    assert psnr(pixels(result), pixels(red_and_green_swapped(expected))) > 45


@pytest.mark.parametrize("mode", ["L", "LA"])
def test_grey_is_converted_from_its_profile(mode: str) -> None:
    picture = Image.linear_gradient("L").convert(mode)
    result = decode(process(encode(picture, "PNG", icc_profile=linear_grey_profile())).data)
    light = np.arange(256) / 255
    expected = 255 * np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    # Between its sampling points, lcms2 interpolates: for the darkest levels of such a profile that is coarse.
    assert np.abs(pixels(result)[:, 0, 0] - expected)[32:].max() < 1.5
    assert result.mode == ("L" if mode == "L" else "RGBA")


def test_srgb_itself_changes_nothing() -> None:
    picture = photograph(160, 120)
    assert (pixels(decode(process(encode(picture, "PNG", icc_profile=SRGB)).data)) == pixels(picture)).all()


@pytest.mark.parametrize("goes", ["jpeg", "png", "webp", "avif", "tiff"])
def test_a_profile_is_kept_with_its_colours_where_asked(goes: str) -> None:
    source = encode(photograph(160, 120), "PNG", icc_profile=swapped_profile())
    result = decode(process(source, (Convert(format=goes, keep_profile=True),)).data)  # type: ignore[arg-type]
    assert result.info["icc_profile"] == swapped_profile()
    assert psnr(pixels(result), pixels(photograph(160, 120))) > 26


def test_grey_carries_the_kept_profile_as_rgb() -> None:
    source = encode(photograph(160, 120), "PNG", icc_profile=swapped_profile())
    result = decode(process(source, (Grayscale(), Convert(format="png", keep_profile=True))).data)
    assert (result.mode, result.info["icc_profile"]) == ("RGB", swapped_profile())


def test_a_profile_of_another_kind_than_rgb_is_converted_although_it_was_to_stay() -> None:
    source = encode(Image.linear_gradient("L"), "PNG", icc_profile=linear_grey_profile())
    result = decode(process(source, (Convert(format="png", keep_profile=True),)).data)
    assert "icc_profile" not in result.info


@pytest.mark.parametrize(
    "profile",
    [
        b"x",
        b"\0" * 128,
        SRGB[:200],
        SRGB.replace(b"RGB ", b"CMYK"),
        SRGB.replace(b"RGB ", b"15CL"),
        SRGB.replace(b"mntr", b"nmcl"),
        SRGB[:128] + b"\xff\xff\xff\xff" + SRGB[132:],
        swapped_profile()[:128] + bytes(1000),
        b"\xff" * 100_000,
        bytes(9 * 1024 * 1024),
    ],
)
@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
def test_a_broken_profile_is_passed_over(profile: bytes, mode: str) -> None:
    picture = photograph(32, 24).convert(mode)
    result = decode(process(encode(picture, "JPEG", icc_profile=profile), (AS_PNG,)).data)
    assert psnr(pixels(result), pixels(decode(encode(picture, "JPEG")))) > 45


def linear_profile(name: str) -> bytes:
    """The primaries of sRGB with a linear curve."""
    at = {SRGB[132 + 12 * i : 136 + 12 * i]: SRGB[136 + 12 * i : 144 + 12 * i] for i in range(SRGB[131])}
    start, length = struct.unpack(">II", at[b"rTRC"])
    straight = struct.pack(">4s4xI", b"curv", 0).ljust(length, b"\0")
    profile = SRGB[:start] + straight + SRGB[start + length :]
    return profile.replace("sRGB".encode("utf-16-be"), name.encode("utf-16-be"))


def test_a_profile_is_known_by_what_it_does_and_not_by_its_name() -> None:
    picture = photograph(160, 120)
    linear = decode(process(encode(picture, "PNG", icc_profile=linear_profile("sRGB"))).data)
    light = pixels(picture) / 255
    expected = 255 * np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    assert np.abs(pixels(linear) - expected)[light > 0.1].max() < 2
    renamed = SRGB.replace("sRGB".encode("utf-16-be"), "Oops".encode("utf-16-be"))
    assert (pixels(decode(process(encode(picture, "PNG", icc_profile=renamed)).data)) == pixels(picture)).all()
