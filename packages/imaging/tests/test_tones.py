"""Grayscale, adjust, sharpen and pixelate: what becomes of each pixel."""

import numpy as np
import pytest
from darkroom_imaging.engine import process
from darkroom_imaging.operations import Adjust, Convert, Grayscale, Operation, Pixelate, Sharpen
from PIL import Image
from support.pictures import decode, encode, gaussian, photograph, pixels

AS_PNG = Convert(format="png")


def through(picture: Image.Image, *pipeline: Operation) -> Image.Image:
    result = decode(process(encode(picture, "PNG"), (*pipeline, AS_PNG)).data).copy()
    result.info.clear()
    return result


def half_clear(picture: Image.Image) -> Image.Image:
    picture = picture.convert("RGBA")
    picture.putalpha(Image.linear_gradient("L").resize(picture.size))
    return picture


def test_grey_is_the_luma_of_the_colours() -> None:
    picture = photograph(64, 48)
    luma = pixels(picture) @ (0.299, 0.587, 0.114)
    assert np.abs(np.asarray(through(picture, Grayscale()), dtype=float) - luma).max() <= 0.51


def test_grey_keeps_what_is_transparent() -> None:
    picture = half_clear(photograph(64, 48))
    result = through(picture, Grayscale())
    assert result.getchannel("A") == picture.getchannel("A")
    assert np.ptp(np.asarray(result)[..., :3].astype(int), axis=2).max() == 0


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA"])
def test_adjusting_by_one_changes_nothing(mode: str) -> None:
    picture = photograph(64, 48).convert(mode)
    assert through(picture, Adjust()) == picture


def test_no_brightness_is_black_and_twice_is_twice() -> None:
    picture = Image.new("RGB", (8, 8), (10, 100, 200))
    assert through(picture, Adjust(brightness=0)).getpixel((0, 0)) == (0, 0, 0)
    assert through(picture, Adjust(brightness=2)).getpixel((0, 0)) == (20, 200, 255)


def test_no_contrast_is_even_grey_and_more_stretches_about_the_middle() -> None:
    picture = Image.new("RGB", (8, 8), (28, 128, 228))
    assert through(picture, Adjust(contrast=0)).getpixel((0, 0)) == (128, 128, 128)
    assert through(picture, Adjust(contrast=1.2)).getpixel((0, 0)) == (8, 128, 248)


def test_no_saturation_is_without_colour_and_more_is_colourful() -> None:
    picture = Image.new("RGB", (8, 8), (100, 120, 140))
    assert np.ptp(pixels(through(picture, Adjust(saturation=0)))) == 0
    assert through(picture, Adjust(saturation=2)).getpixel((0, 0)) == (84, 124, 164)


def test_adjusting_leaves_transparency_alone() -> None:
    picture = half_clear(photograph(64, 48))
    result = through(picture, Adjust(brightness=1.5, contrast=2, saturation=0.5))
    assert result.getchannel("A") == picture.getchannel("A")


def test_sharpening_adds_what_a_blur_takes_away() -> None:
    picture = photograph(120, 90)
    original = pixels(picture)
    expected = (original + 0.8 * (original - gaussian(original, 1.5))).clip(0, 255)
    assert np.abs(pixels(through(picture, Sharpen(radius=1.5, amount=0.8))) - expected).max() < 2.5


def test_sharpening_keeps_what_is_transparent() -> None:
    picture = half_clear(photograph(64, 48))
    assert through(picture, Sharpen()).getchannel("A") == picture.getchannel("A")


def test_pixelating_gives_each_square_the_mean_of_its_own() -> None:
    picture = photograph(100, 75)
    result, original = pixels(through(picture, Pixelate(size=16))), pixels(picture)
    for top in range(0, 75, 16):
        for left in range(0, 100, 16):
            square = (slice(top, top + 16), slice(left, left + 16))
            assert np.abs(result[square] - original[square].mean(axis=(0, 1))).max() <= 0.6


def test_pixelating_a_region_leaves_the_rest() -> None:
    picture = photograph(100, 75)
    result = through(picture, Pixelate(size=10, regions=((15, 15, 30, 20),)))
    whole = through(picture, Pixelate(size=10))
    assert result.crop((15, 15, 45, 35)) == whole.crop((15, 15, 45, 35))
    result.paste(picture.crop((15, 15, 45, 35)), (15, 15))
    assert result == picture


def test_pixelating_does_not_mix_in_the_colour_of_what_is_transparent() -> None:
    picture = Image.new("RGBA", (64, 64), (0, 0, 255, 0))
    picture.paste((255, 0, 0, 255), (10, 10, 50, 50))
    result = np.asarray(through(picture, Pixelate(size=16)))
    assert result[result[..., 3] > 8][:, 2].max() == 0


def test_a_square_may_be_larger_than_the_image() -> None:
    assert len(through(photograph(30, 20), Pixelate(size=1000)).getcolors() or []) == 1
