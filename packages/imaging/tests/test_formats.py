"""Whatever comes in, the right pixels come out, and nothing but pixels."""

import io

import numpy as np
import pytest
from darkroom_contracts.formats import WRITABLE, ImageFormat
from darkroom_imaging.engine import process
from darkroom_imaging.operations import Convert
from PIL import Image, ImageCms
from PIL.PngImagePlugin import PngInfo
from support.pictures import decode, encode, photograph, pixels, psnr

AS_PNG = Convert(format="png")


def as_png(source: bytes) -> Image.Image:
    return decode(process(source, (AS_PNG,)).data)


def soft(width: int = 160, height: int = 120) -> Image.Image:
    return photograph(width * 4, height * 4).resize((width, height), Image.Resampling.LANCZOS)


def half_clear() -> Image.Image:
    picture = soft().convert("RGBA")
    picture.putalpha(Image.linear_gradient("L").resize(picture.size))
    return picture


@pytest.mark.parametrize("came", ["JPEG", "PNG", "WEBP", "AVIF", "GIF", "TIFF", "BMP"])
@pytest.mark.parametrize("goes", sorted(WRITABLE))
def test_every_format_that_is_read_becomes_every_format_that_is_written(came: str, goes: ImageFormat) -> None:
    source = encode(soft(), came)
    result = process(source, (Convert(format=goes.value),))  # type: ignore[arg-type]
    image = decode(result.data)
    assert (result.format, result.width, result.height, result.frames) == (goes, 160, 120, 1)
    assert (image.format, image.size) == (goes.name, (160, 120))
    assert psnr(pixels(image), pixels(decode(source))) > (24 if goes is ImageFormat.GIF else 28)


@pytest.mark.parametrize(
    ("came", "goes"),
    [(name, name) for name in ("JPEG", "PNG", "WEBP", "AVIF", "GIF", "TIFF")] + [("BMP", "PNG")],
)
def test_without_a_conversion_the_format_stays(came: str, goes: str) -> None:
    result = process(encode(soft(), came))
    assert decode(result.data).format == goes
    assert result.format == goes.lower()


def test_the_last_conversion_counts() -> None:
    result = process(encode(soft()), (Convert(format="gif"), Convert(format="webp")))
    assert result.format is ImageFormat.WEBP


@pytest.mark.parametrize("goes", ["jpeg", "webp", "avif"])
def test_a_higher_quality_is_larger_and_nearer(goes: str) -> None:
    source = encode(soft(), "PNG")
    low, high = (process(source, (Convert(format=goes, quality=quality),)).data for quality in (20, 95))  # type: ignore[arg-type]
    assert len(low) < len(high)
    assert psnr(pixels(decode(low)), pixels(soft())) + 3 < psnr(pixels(decode(high)), pixels(soft()))


@pytest.mark.parametrize("goes", ["png", "tiff"])
def test_lossless_formats_lose_nothing(goes: str) -> None:
    result = decode(process(encode(half_clear(), "PNG"), (Convert(format=goes),)).data)  # type: ignore[arg-type]
    assert (np.asarray(result) == np.asarray(half_clear())).all()


@pytest.mark.parametrize("goes", ["png", "webp", "avif", "tiff"])
def test_what_is_transparent_stays_so_where_the_format_can(goes: str) -> None:
    result = decode(process(encode(half_clear(), "PNG"), (Convert(format=goes),)).data)  # type: ignore[arg-type]
    opacity = np.asarray(result.getchannel("A"), dtype=float)
    assert np.abs(opacity - np.asarray(half_clear().getchannel("A"))).max() < 8


def test_what_is_transparent_is_put_on_white_in_a_jpeg() -> None:
    on_white = Image.new("RGBA", (160, 120), "white")
    on_white.alpha_composite(half_clear())
    result = decode(process(encode(half_clear(), "PNG"), (Convert(format="jpeg"),)).data)
    assert psnr(pixels(result), pixels(on_white)) > 33


def test_a_gif_is_transparent_where_less_than_half_is_seen() -> None:
    result = decode(process(encode(half_clear(), "PNG"), (Convert(format="gif"),)).data).convert("RGBA")
    seen = np.asarray(half_clear().getchannel("A")) >= 128
    assert ((np.asarray(result)[..., 3] == 255) == seen).all()


def test_a_gif_of_few_colours_keeps_them_all() -> None:
    picture = soft().quantize(200).convert("RGB")
    result = decode(process(encode(picture, "PNG"), (Convert(format="gif"),)).data)
    assert (np.asarray(result.convert("RGB")) == np.asarray(picture)).all()


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "AVIF", "GIF", "TIFF"])
def test_metadata_is_dropped(form: str) -> None:
    exif = Image.Exif()
    exif[0x010E] = "secret-place"
    options: dict[str, object] = {} if form == "GIF" else {"exif": exif, "dpi": (300, 300)}
    if form in ("JPEG", "PNG", "WEBP"):
        options["xmp"] = b"<x:xmpmeta>secret-place</x:xmpmeta>"
    if form in ("JPEG", "GIF"):
        options["comment"] = b"secret-place"
    source = encode(soft(), form, **options)
    assert b"secret-place" in source
    result = process(source).data
    assert b"secret-place" not in result
    assert 0x010E not in decode(result).getexif()


def test_text_and_time_in_a_png_are_dropped() -> None:
    text = PngInfo()
    text.add_text("Author", "secret-person")
    text.add_itxt("Location", "secret-place", zip=False)
    assert b"secret" not in process(encode(soft(), "PNG", pnginfo=text)).data


GREY = np.linspace(0, 255, 160 * 120).reshape(120, 160)


@pytest.mark.parametrize("form", ["PNG", "TIFF"])
def test_sixteen_bits_are_rounded_to_eight(form: str) -> None:
    sixteen = Image.fromarray((GREY * 257).round().astype(np.uint16))
    result = as_png(encode(sixteen, form))
    assert result.mode == "L"
    assert np.abs(np.asarray(result) - GREY).max() <= 0.51


def test_floating_point_goes_from_nought_to_one() -> None:
    levels = (GREY / 255).astype(np.float32)
    levels[0, :3] = (np.nan, np.inf, -np.inf)
    result = np.asarray(as_png(encode(Image.fromarray(levels), "TIFF")))
    assert np.abs(result - GREY)[1:].max() <= 0.51
    assert result[0, :3].tolist() == [0, 255, 0]


def test_one_bit_is_black_and_white() -> None:
    picture = soft().convert("1")
    for form in ("PNG", "TIFF", "BMP", "GIF"):
        assert (pixels(as_png(encode(picture, form))) == pixels(picture)).all()


def test_grey_with_opacity_comes_out_right() -> None:
    picture = half_clear().convert("LA")
    result = as_png(encode(picture, "PNG"))
    assert (np.asarray(result) == np.asarray(picture.convert("RGBA"))).all()


def test_a_palette_comes_out_as_its_colours() -> None:
    picture = soft().quantize(60)
    for form in ("PNG", "GIF", "TIFF", "BMP"):
        assert (pixels(as_png(encode(picture, form))) == pixels(picture)).all()


def test_a_palette_with_a_transparent_colour_stays_transparent() -> None:
    picture = soft().quantize(60)
    for form in ("PNG", "GIF"):
        result = as_png(encode(picture, form, transparency=7))
        assert ((np.asarray(result)[..., 3] == 0) == (np.asarray(picture) == 7)).all()


@pytest.mark.parametrize(("mode", "transparent"), [("L", 200), ("RGB", (255, 0, 0)), ("1", 1)])
def test_a_colour_that_a_png_calls_transparent_is(mode: str, transparent: object) -> None:
    picture = Image.new("RGB", (20, 10), (255, 0, 0)).convert(mode)
    if mode == "L":
        picture.paste(200, (0, 0, 20, 10))
    if mode == "1":
        picture.paste(255, (0, 0, 20, 10))
    result = as_png(encode(picture, "PNG", transparency=transparent))
    assert result.getchannel("A").getextrema() == (0, 0)


@pytest.mark.parametrize("form", ["JPEG", "TIFF"])
def test_cmyk_without_a_profile_is_neither_inverted_nor_dull(form: str) -> None:
    result = as_png(encode(Image.new("CMYK", (32, 32), (0, 255, 255, 0)), form))
    red, green, blue = result.getpixel((16, 16))  # type: ignore[misc]
    assert red > 240
    assert max(green, blue) < 15


def test_lab_becomes_the_colours_it_means() -> None:
    to_lab = ImageCms.buildTransform(ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), "RGB", "LAB")
    lab = ImageCms.applyTransform(soft(), to_lab)
    assert lab is not None
    file = io.BytesIO()
    lab.save(file, "TIFF")
    assert psnr(pixels(as_png(file.getvalue())), pixels(soft())) > 35
