"""Animations keep their frames, their pace and how often they are shown."""

import io
from collections.abc import Sequence

import numpy as np
import pytest
from darkroom_imaging.engine import process
from darkroom_imaging.errors import ImageTooLargeError
from darkroom_imaging.limits import Limits
from darkroom_imaging.operations import Blur, Convert, Crop, Resize, Watermark
from PIL import Image, ImageSequence
from support.pictures import decode, gaussian, pixels, psnr

PACE = (100, 250, 40)
COLOURS = ("red", "lime", "blue")


def drawn(mode: str = "RGB") -> list[Image.Image]:
    """A block that moves and changes its colour, on white or on nothing."""
    pictures = []
    for index, colour in enumerate(COLOURS):
        picture = Image.new(mode, (60, 40), (0, 0, 0, 0) if mode == "RGBA" else "white")
        picture.paste(Image.new(mode, (16, 16), colour), (4 + 16 * index, 10))
        if mode == "RGBA":
            picture.putpixel((8 + 16 * index, 14), (0, 0, 0, 0))
        pictures.append(picture)
    return pictures


def animation(form: str, pictures: Sequence[Image.Image], **options: object) -> bytes:
    file = io.BytesIO()
    lossless = {"lossless": True} if form == "WEBP" else {}
    first, *others = pictures
    settings = {
        "save_all": True,
        "append_images": others,
        "duration": list(PACE[: len(pictures)]),
        "loop": 0,
    } | lossless
    first.save(file, form, **settings | options)
    return file.getvalue()


def shown(data: bytes) -> tuple[list[Image.Image], list[float]]:
    pictures, pace = [], []
    with Image.open(io.BytesIO(data)) as file:
        for frame in ImageSequence.Iterator(file):
            frame.load()
            pace.append(frame.info["duration"])
            pictures.append(frame.convert("RGBA"))
    return pictures, pace


@pytest.mark.parametrize("came", ["GIF", "WEBP", "PNG"])
@pytest.mark.parametrize("goes", ["gif", "webp", "png"])
@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_frames_and_their_pace_go_from_format_to_format(came: str, goes: str, mode: str) -> None:
    source = animation(came, drawn(mode), disposal=2) if came == "GIF" else animation(came, drawn(mode))
    result = process(source, (Convert(format=goes, quality=95 if goes == "webp" else None),))  # type: ignore[arg-type]
    pictures, pace = shown(result.data)
    assert (result.frames, pace) == (3, list(PACE))
    for picture, expected in zip(pictures, drawn(mode), strict=True):
        seen = Image.new("RGBA", picture.size, "grey")
        seen.alpha_composite(picture)
        wanted = Image.new("RGBA", picture.size, "grey")
        wanted.alpha_composite(expected.convert("RGBA"))
        assert psnr(pixels(seen), pixels(wanted)) > 24


@pytest.mark.parametrize("form", ["GIF", "WEBP", "PNG"])
def test_every_frame_goes_through_the_pipeline(form: str) -> None:
    result = process(animation(form, drawn()), (Blur(radius=3), Convert(format="png")))
    pictures, _ = shown(result.data)
    for picture, original in zip(pictures, drawn(), strict=True):
        assert psnr(pixels(picture), gaussian(pixels(original), 3)) > 40


def test_an_animation_is_resized_cropped_and_marked_frame_by_frame() -> None:
    pipeline = (Resize(width=30), Crop(width=20, height=20), Watermark(text="hi", scale=1))
    result = process(animation("GIF", drawn()), pipeline)
    assert (result.width, result.height, result.frames) == (20, 20, 3)
    assert [picture.size for picture in shown(result.data)[0]] == [(20, 20)] * 3


@pytest.mark.parametrize(
    ("came", "loops"), [("GIF", None), ("GIF", 0), ("GIF", 4), ("WEBP", 0), ("WEBP", 1), ("PNG", 5)]
)
@pytest.mark.parametrize("goes", ["gif", "webp", "png"])
def test_an_animation_is_shown_as_often_as_before(came: str, loops: int | None, goes: str) -> None:
    source = animation(came, drawn(), loop=loops)
    result = decode(process(source, (Convert(format=goes),)).data)  # type: ignore[arg-type]
    plays = {None: 1, 0: 0}.get(loops, (loops or 0) + (came == "GIF"))
    expected = {0: 0, 1: None}.get(plays, plays - 1) if goes == "gif" else plays
    assert result.info.get("loop") == expected


def test_an_animation_of_opaque_blocks_on_nothing_stays_on_nothing() -> None:
    pictures = [Image.new("RGBA", (60, 40)) for _ in PACE]
    for index, picture in enumerate(pictures):
        picture.paste((255, 0, 0, 255), (20 * index, 10, 20 * index + 10, 20))
    result = process(animation("PNG", pictures), (Convert(format="webp"),))
    assert [picture.getpixel((59, 39)) for picture in shown(result.data)[0]] == [(0, 0, 0, 0)] * 3


@pytest.mark.parametrize("goes", ["jpeg", "tiff", "avif"])
def test_formats_without_animation_take_the_first_frame(goes: str) -> None:
    result = process(animation("GIF", drawn()), (Convert(format=goes),))  # type: ignore[arg-type]
    assert result.frames == 1
    assert psnr(pixels(decode(result.data)), pixels(drawn()[0])) > 20


def test_frames_that_only_hold_changes_come_out_whole() -> None:
    source = animation("GIF", drawn(), disposal=[1, 1, 1])
    pictures, _ = shown(process(source, (Convert(format="png"),)).data)
    for picture, expected in zip(pictures, shown(source)[0], strict=True):
        assert (np.asarray(picture) == np.asarray(expected)).all()


def test_the_picture_for_viewers_without_animation_is_not_a_frame() -> None:
    first = Image.new("RGB", (60, 40), "yellow")
    source = animation("PNG", [first, *drawn()], default_image=True, duration=100)
    result = process(source)
    assert result.frames == 3
    assert psnr(pixels(shown(result.data)[0][0]), pixels(drawn()[0])) > 40


def test_more_frames_than_the_limit_are_refused() -> None:
    for form in ("GIF", "WEBP", "PNG"):
        with pytest.raises(ImageTooLargeError, match="more than 2 frames"):
            process(animation(form, drawn()), limits=Limits(max_frames=2))


def test_the_pixels_of_all_frames_count() -> None:
    for form in ("GIF", "WEBP", "PNG"):
        with pytest.raises(ImageTooLargeError, match="60 × 40 px in 3 frames"):
            process(animation(form, drawn()), limits=Limits(max_pixels=6_000))


def test_enlarging_an_animation_counts_the_pixels_of_all_its_frames() -> None:
    with pytest.raises(ImageTooLargeError, match="The result is too large: 120 × 80 px in 2 frames"):
        process(animation("GIF", drawn()), (Resize(width=120, enlarge=True),), limits=Limits(max_pixels=10_000))


def test_a_pace_beyond_what_a_file_can_say_is_the_slowest_it_can() -> None:
    source = animation("GIF", drawn(), duration=400_000)
    assert set(shown(process(source, (Convert(format="png"),)).data)[1]) == {65_535}
