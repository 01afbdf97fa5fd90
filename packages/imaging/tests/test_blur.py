"""The blur is a Gaussian, whatever shortcuts it takes."""

import numpy as np
import pytest
from darkroom_imaging.engine import process
from darkroom_imaging.errors import BadOperationError
from darkroom_imaging.operations import Blur, Convert, Flip, Region
from PIL import Image
from support.pictures import Pixels, decode, encode, gaussian, photograph, pixels, psnr

AS_PNG = Convert(format="png")
ORIENTATION = 0x0112


def blurred(source: bytes, sigma: float, regions: tuple[Region, ...] | None = None) -> Image.Image:
    return decode(process(source, (Blur(radius=sigma, regions=regions), AS_PNG)).data)


def natural(width: int, height: int) -> Image.Image:
    """A photograph without its grain, which is finer than a lens and a sensor leave it."""
    return Image.fromarray(gaussian(pixels(photograph(width, height)), 1.0).round().astype(np.uint8))


@pytest.mark.parametrize("sigma", [0.3, 1, 1.9, 2, 3.9, 4, 5, 10, 20, 40, 90])
def test_a_blurred_png_is_the_exact_gaussian_to_what_eight_bits_hold(sigma: float) -> None:
    picture = natural(333, 251)
    assert psnr(pixels(blurred(encode(picture, "PNG"), sigma)), gaussian(pixels(picture), sigma)) > 50


@pytest.mark.parametrize("size", [(320, 240), (333, 251), (321, 242), (97, 203)])
@pytest.mark.parametrize("sigma", [1, 2, 5, 10, 20, 40])
def test_a_blurred_jpeg_is_the_exact_gaussian_although_it_is_not_decoded_whole(
    size: tuple[int, int], sigma: float
) -> None:
    source = encode(natural(*size))
    assert psnr(pixels(blurred(source, sigma)), gaussian(pixels(decode(source)), sigma)) > 45


@pytest.mark.parametrize("sigma", [2, 5, 20])
def test_edges_are_repeated_even_where_the_last_pixels_differ_from_all_others(sigma: float) -> None:
    picture = np.full((120, 161, 3), 100, np.uint8)
    picture[:, 0], picture[:, -1], picture[0], picture[-1] = 255, 0, 30, 220
    result = pixels(blurred(encode(Image.fromarray(picture), "PNG"), sigma))
    assert np.abs(result - gaussian(picture.astype(float), sigma)).max() < 6


@pytest.mark.parametrize("sigma", [1, 2, 3, 5, 8, 10, 20, 40])
def test_a_ramp_stays_where_it_is(sigma: float) -> None:
    ramp = np.tile(np.arange(256, dtype=np.uint8)[:, None, None], (1, 300, 3))
    inside = slice(int(min(4 * sigma, 120)), int(256 - min(4 * sigma, 120)))
    result = pixels(blurred(encode(Image.fromarray(ramp), "PNG"), sigma))
    assert np.abs(result - ramp)[inside].max() <= 1


@pytest.mark.parametrize("sigma", [1, 2, 5, 10, 40])
def test_an_even_colour_stays_what_it_is(sigma: float) -> None:
    source = encode(Image.new("RGB", (150, 101), (12, 200, 99)), "PNG")
    assert np.ptp(pixels(blurred(source, sigma)), axis=(0, 1)).max() == 0


@pytest.mark.parametrize("sigma", [1, 5, 20])
def test_what_is_transparent_does_not_bleed_its_colour(sigma: float) -> None:
    pixels_ = np.zeros((160, 160, 4), np.uint8)
    pixels_[:, :] = (0, 0, 255, 0)
    pixels_[40:120, 40:120] = (255, 0, 0, 255)
    result = np.asarray(blurred(encode(Image.fromarray(pixels_), "PNG"), sigma)).astype(float)
    seen = result[..., 3] > 8
    assert result[seen][:, 2].max() == 0
    assert result[seen][:, 0].min() > 230
    opacity = gaussian(pixels_[..., 3].astype(float), sigma)
    assert np.abs(result[..., 3] - opacity).max() < 5


@pytest.mark.parametrize("sigma", [1.5, 5, 20])
def test_a_region_comes_out_as_in_the_whole_and_the_rest_stays(sigma: float) -> None:
    picture = photograph(400, 300)
    source = encode(picture, "PNG")
    inside = np.zeros((300, 400), bool)
    inside[60:120, 101:160] = inside[200:300, 380:400] = True
    result = pixels(blurred(source, sigma, ((101, 60, 59, 60), (380, 200, 20, 100))))
    assert np.abs(result - pixels(blurred(source, sigma)))[inside].max() <= 1
    assert (result == pixels(picture))[~inside].all()


def test_regions_that_overlap_are_blurred_once() -> None:
    source = encode(photograph(400, 300), "PNG")
    both = blurred(source, 10, ((50, 50, 60, 60), (70, 70, 60, 60)))
    again = blurred(source, 10, ((70, 70, 60, 60), (50, 50, 60, 60), (55, 55, 30, 30)))
    assert both == again


def test_a_region_can_be_given_in_shares_of_the_image() -> None:
    source = encode(photograph(400, 300), "PNG")
    assert blurred(source, 5, ((0.25, 0.1, 0.5, 0.3),)) == blurred(source, 5, ((100, 30, 200, 90),))


@pytest.mark.parametrize("region", [(400, 0, 10, 10), (-20, 0, 20, 10), (10, 10, 0, 5), (10, 10, -5, 5)])
def test_a_region_that_covers_nothing_is_refused(region: Region) -> None:
    with pytest.raises(BadOperationError, match=r"covers nothing of the image, which measures 400 × 300"):
        blurred(encode(photograph(400, 300), "PNG"), 5, (region,))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_an_image_on_its_side_is_blurred_as_one_that_stands(orientation: int) -> None:
    source = encode(natural(323, 241), exif=_exif(orientation))
    upright = decode(process(source, (AS_PNG,)).data)
    assert psnr(pixels(blurred(source, 4)), gaussian(pixels(upright), 4)) > 45


def test_two_blurs_in_a_row_are_one_of_their_variances() -> None:
    source = encode(natural(320, 240), "PNG")
    twice = decode(process(source, (Blur(radius=3), Blur(radius=4), AS_PNG)).data)
    assert psnr(pixels(twice), pixels(blurred(source, 5))) > 45


def test_a_blur_is_the_same_before_and_after_a_mirror() -> None:
    source = encode(natural(321, 241), "PNG")
    before = decode(process(source, (Blur(radius=6), Flip(), AS_PNG)).data)
    after = decode(process(source, (Flip(), Blur(radius=6), AS_PNG)).data)
    assert psnr(pixels(before), pixels(after)) > 50


@pytest.mark.parametrize("size", [(1, 1), (1, 50), (2, 3), (15, 15), (3000, 2)])
@pytest.mark.parametrize("sigma", [0.5, 2, 12, 250])
def test_the_smallest_and_narrowest_images_can_be_blurred(size: tuple[int, int], sigma: float) -> None:
    for form in ("PNG", "JPEG"):
        result = process(encode(Image.new("RGB", size, "teal"), form), (Blur(radius=sigma),))
        assert (result.width, result.height) == size
        assert decode(result.data).size == size


def _exif(orientation: int) -> Image.Exif:
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    return exif


def test_a_grey_image_stays_grey() -> None:
    result = blurred(encode(photograph().convert("L"), "PNG"), 5)
    assert result.mode == "L"


def test_a_blur_moves_nothing() -> None:
    block = np.zeros((181, 181), np.uint8)
    block[70:111, 70:111] = 255
    for sigma in (1, 2, 5, 10):
        result: Pixels = np.asarray(blurred(encode(Image.fromarray(block), "PNG"), sigma), dtype=np.float64)
        rows, columns = np.indices(result.shape)
        assert abs((rows * result).sum() / result.sum() - 90) < 0.05
        assert abs((columns * result).sum() / result.sum() - 90) < 0.05
