"""With more effort the same pixels come in fewer bytes."""

from typing import Any

import numpy as np
import pytest
from darkroom_contracts.formats import Metadata
from darkroom_imaging.engine import process
from darkroom_imaging.errors import ResultTooLargeError
from darkroom_imaging.operations import Convert, Grayscale, read_pipeline, write_pipeline
from PIL import Image, ImageCms, ImageDraw
from support.pictures import decode, encode, photograph

SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def drawing(mode: str, colours: int, opacities: int = 1) -> Image.Image:
    """A picture of as many colours, as of a chart or a screen."""
    picture = Image.new(mode, (300, 200), "white" if mode != "RGBA" else (0, 0, 0, 0))
    draw = ImageDraw.Draw(picture)
    for index in range(colours - 1):
        colour = (index * 7 % 256, index * 31 % 256, index, 255 - index % opacities * 40)
        left, top = index % 16 * 18, index // 16 * 12
        draw.rectangle((left, top, left + 15, top + 10), fill=colour[0] if mode == "L" else colour[: len(mode)])
    return picture


def results(source: bytes, form: Any, *steps: Any, **arguments: Any) -> tuple[bytes, bytes]:
    """What comes out with little and with much effort."""
    fast, best = (
        process(source, (*steps, Convert(format=form, effort=effort, **arguments)), metadata=Metadata.ALL).data
        for effort in ("fast", "best")
    )
    one, other = decode(fast), decode(best)
    assert one.size == other.size
    assert (np.asarray(one.convert("RGBA")) == np.asarray(other.convert("RGBA"))).all()
    return fast, best


@pytest.mark.parametrize("quality", [30, 90])
def test_a_jpeg_of_the_same_pixels_is_smaller(quality: int) -> None:
    source = encode(photograph(), "PNG")
    for steps in ((), (Grayscale(),)):
        fast, best = results(source, "jpeg", *steps, quality=quality)
        assert len(best) < 0.97 * len(fast)


@pytest.mark.parametrize("picture", [photograph(), photograph().convert("L"), photograph().convert("RGBA")])
def test_a_png_of_a_photograph_is_never_larger(picture: Image.Image) -> None:
    fast, best = results(encode(picture, "PNG"), "png")
    assert len(best) <= len(fast)


@pytest.mark.parametrize(
    ("mode", "colours", "opacities"),
    [("RGB", 2, 1), ("RGB", 16, 1), ("RGB", 256, 1), ("RGBA", 2, 1), ("RGBA", 200, 5), ("RGBA", 256, 1)],
)
def test_a_png_of_few_colours_gets_a_palette(mode: str, colours: int, opacities: int) -> None:
    fast, best = results(encode(drawing(mode, colours, opacities), "PNG"), "png")
    assert decode(best).mode == "P"
    assert len(best) < len(fast)


@pytest.mark.parametrize(("mode", "colours"), [("RGB", 300), ("L", 200)])
def test_a_png_without_few_colours_stays_what_it_is(mode: str, colours: int) -> None:
    _, best = results(encode(drawing(mode, colours), "PNG"), "png")
    assert decode(best).mode == mode


@pytest.mark.parametrize("form", ["jpeg", "png"])
@pytest.mark.parametrize("picture", [photograph(), drawing("RGB", 20)])
def test_profile_and_metadata_stay(form: Any, picture: Image.Image) -> None:
    tags = Image.Exif()
    tags[0x013B], tags[0x8298] = "Jane", "(c) Jane"
    source = encode(picture, "PNG", exif=tags, icc_profile=SRGB)
    fast, best = (decode(data) for data in results(source, form, keep_profile=True))
    assert best.info["icc_profile"] == fast.info["icc_profile"] == SRGB
    assert best.getexif()[0x013B] == "Jane"
    assert best.info["xmp"] == fast.info["xmp"]


@pytest.mark.parametrize("form", ["webp", "avif", "gif", "tiff"])
def test_other_formats_are_what_they_are_with_little_effort(form: Any) -> None:
    fast, best = results(encode(photograph(), "PNG"), form)
    assert best == fast


def test_an_animation_is_what_it_is_with_little_effort() -> None:
    frames = [photograph(32, 24, seed) for seed in range(3)]
    source = encode(frames[0], "PNG", save_all=True, append_images=frames[1:], duration=100)
    assert process(source, (Convert(format="png", effort="best"),)) == process(source)


def test_effort_lets_a_better_quality_fit() -> None:
    source = encode(photograph(), "PNG")
    limit = len(process(source, (Convert(format="jpeg", effort="best"),)).data)
    best = process(source, (Convert(format="jpeg", effort="best", max_bytes=limit),))
    fast = process(source, (Convert(format="jpeg", max_bytes=limit),))
    assert len(best.data) == limit
    assert decode(best.data).quantization[0][0] < decode(fast.data).quantization[0][0]  # type: ignore[attr-defined]
    chart = encode(drawing("RGB", 20), "PNG")
    limit = len(process(chart, (Convert(format="png", effort="best"),)).data)
    assert len(process(chart, (Convert(format="png", effort="best", max_bytes=limit),)).data) == limit
    with pytest.raises(ResultTooLargeError):
        process(chart, (Convert(format="png", max_bytes=limit),))


@pytest.mark.parametrize("form", ["jpeg", "png"])
@pytest.mark.parametrize("size", [(1, 1), (1, 300), (3000, 2)])
def test_the_smallest_images_come_out_and_twice_the_same(form: Any, size: tuple[int, int]) -> None:
    source = encode(photograph(400, 400).resize(size), "PNG")
    results(source, form)
    steps = (Convert(format=form, effort="best"),)
    assert process(source, steps) == process(source, steps)


def test_effort_is_written_down_where_it_is_asked_for() -> None:
    assert "effort" not in write_pipeline([Convert(format="png")])[0]
    steps = (Convert(format="png", effort="best"),)
    assert read_pipeline(write_pipeline(steps)) == steps
