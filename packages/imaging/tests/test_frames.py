"""Frames are put together as browsers do, and a result is looked at before it is called one."""

import io
import struct
from typing import Literal

import numpy as np
import pytest
from darkroom_contracts.formats import ImageFormat
from darkroom_imaging import encoding
from darkroom_imaging.encoding import Animation, Target
from darkroom_imaging.engine import Result, process
from darkroom_imaging.errors import DamagedImageError, UnexpectedError
from darkroom_imaging.operations import Convert, Crop, Operation, Resize
from darkroom_imaging.verification import WrongResultError, verify
from PIL import Image, ImageSequence
from support.animations import GifFrame, PngFrame, apng, chunk, gif, png_of
from support.pictures import encode

ANIMATED: tuple[Literal["gif", "png", "webp"], ...] = ("gif", "png", "webp")
RED, LIME, BLUE = (255, 0, 0, 255), (0, 255, 0, 255), (0, 0, 255, 255)
NOTHING = (0, 0, 0, 0)
FULL = (0, 0, 8, 8)


def shown(result: Result) -> list[Image.Image]:
    """The frames of a result, each of which has to be as large as the result says."""
    with Image.open(io.BytesIO(result.data)) as file:
        assert getattr(file, "n_frames", 1) == result.frames
        frames = [frame.convert("RGBA") for frame in ImageSequence.Iterator(file)]
    assert {frame.size for frame in frames} == {(result.width, result.height)}
    return frames


def as_png(source: bytes, *operations: Operation) -> list[Image.Image]:
    return shown(process(source, (*operations, Convert(format="png"))))


def block(colour: tuple[int, int, int, int], size: tuple[int, int] = (8, 8)) -> Image.Image:
    return Image.new("RGBA", size, colour)


@pytest.mark.parametrize("goes", ["png", "webp", "gif"])
def test_a_frame_that_reaches_beyond_the_screen_is_clipped_to_it(goes: str) -> None:
    source = gif((8, 8), GifFrame(FULL, 0), GifFrame((4, 4, 8, 8), 1))
    result = process(source, (Convert(format=goes, quality=100 if goes == "webp" else None),))  # type: ignore[arg-type]
    _, second = shown(result)
    assert second.size == (8, 8)
    for at, colour in (((3, 3), RED), ((4, 3), RED), ((4, 4), LIME), ((7, 7), LIME)):
        assert second.getpixel(at) == pytest.approx(colour, abs=2)


def test_a_clipped_frame_stays_in_its_place_when_it_is_resized() -> None:
    source = gif((8, 8), GifFrame(FULL, 0), GifFrame((4, 4, 8, 8), 1))
    _, second = as_png(source, Resize(width=16, enlarge=True))
    assert second.size == (16, 16)
    assert [second.getpixel(at) for at in ((2, 2), (13, 13))] == [RED, LIME]


@pytest.mark.parametrize("goes", ["jpeg", "tiff", "avif", "png", "webp", "gif"])
def test_a_first_frame_larger_than_the_screen_is_clipped_to_it(goes: str) -> None:
    result = process(gif((8, 8), GifFrame((2, 0, 20, 30), 0)), (Convert(format=goes),))  # type: ignore[arg-type]
    assert shown(result)[0].size == (8, 8)


@pytest.mark.parametrize("box", [(60_000, 60_000, 8, 8), (8, 0, 3, 3), (0, 65_535, 1, 1)])
def test_a_frame_all_outside_of_the_screen_shows_nothing(box: tuple[int, int, int, int]) -> None:
    # It is the same as the frame before it, and written as one with it.
    first, last = as_png(gif((8, 8), GifFrame(FULL, 0), GifFrame(box, 1), GifFrame(FULL, 2)))
    assert first.tobytes() == block(RED).tobytes()
    assert last.tobytes() == block(BLUE).tobytes()
    (alone,) = as_png(gif((8, 8), GifFrame(box, 1)))
    assert alone.getbbox() is None


def test_what_a_first_frame_leaves_of_the_screen_is_transparent() -> None:
    for source in (gif((8, 8), GifFrame((2, 2, 4, 4), 0), background=1), gif((8, 8), GifFrame((2, 2, 4, 4), 0))):
        (picture,) = as_png(source)
        assert [picture.getpixel(at) for at in ((0, 0), (3, 3), (7, 7))] == [NOTHING, RED, NOTHING]


def test_a_screen_without_a_size_has_that_of_the_first_frame() -> None:
    assert as_png(gif((0, 0), GifFrame((1, 2, 5, 6), 0)))[0].size == (6, 8)


def test_a_gif_without_frames_is_damaged() -> None:
    with pytest.raises(DamagedImageError):
        process(gif((8, 8)))


@pytest.mark.parametrize(
    ("disposal", "expected"), [(0, RED), (1, RED), (2, NOTHING), (3, BLUE), (4, BLUE), (5, RED), (7, RED)]
)
@pytest.mark.parametrize("transparent", [None, 3])
def test_a_gif_disposes_of_frames_as_browsers_do(
    disposal: int, expected: tuple[int, int, int, int], transparent: int | None
) -> None:
    """Whatever its background colour is; 4 is what some encoders wrote for 3."""
    source = gif(
        (8, 8),
        GifFrame(FULL, 2),
        GifFrame((0, 0, 4, 4), 0, disposal=disposal, transparent=transparent),
        GifFrame((6, 6, 2, 2), 1),
        background=1,
    )
    last = as_png(source)[2]
    assert [last.getpixel(at) for at in ((1, 1), (5, 5), (7, 7))] == [expected, BLUE, LIME]


def test_the_service_reads_its_own_gifs() -> None:
    """A black block is no hole, whatever stands at the place of the transparent colour."""
    frames = [block(NOTHING, (20, 20)) for _ in range(4)]
    frames[0].paste(RED, (2, 2, 6, 6))
    frames[1].paste((0, 0, 0, 255), (0, 0, 20, 20))
    frames[2].paste((0, 0, 0, 255), (10, 10, 16, 16))
    frames[3].paste((255, 255, 255, 255), (0, 0, 3, 3))
    made = process(png_of(apng([PngFrame(frame) for frame in frames])), (Convert(format="gif"),))
    for read in (shown(made), as_png(made.data), as_png(process(made.data, (Convert(format="webp"),)).data)):
        for picture, frame in zip(read, frames, strict=True):
            opacity = np.asarray(frame)[..., 3]
            assert (np.asarray(picture)[..., 3] == opacity).all()
            assert np.abs(np.asarray(picture)[opacity > 0].astype(int) - np.asarray(frame)[opacity > 0]).max() <= 4


def test_frames_that_are_the_same_are_shown_as_long_together() -> None:
    source = gif((8, 8), *[GifFrame(FULL, 0, hundredths=60_000)] * 3, GifFrame(FULL, 1))
    for goes in ANIMATED:
        result = process(source, (Convert(format=goes),))
        with Image.open(io.BytesIO(result.data)) as file:
            pace = [frame.info["duration"] for frame in ImageSequence.Iterator(file) if frame.load()]
        assert (len(pace), pace[-1]) == (result.frames, 100)
        assert sum(pace) == {"gif": 1_800_100, "png": 3 * 65_535 + 100, "webp": 1_800_100}[goes]


def test_an_animation_of_one_picture_becomes_that_picture() -> None:
    source = gif((8, 8), *[GifFrame(FULL, 0)] * 3)
    for goes in ANIMATED:
        result = process(source, (Convert(format=goes),))
        assert (len(shown(result)), result.frames) == (1, 1)


@pytest.mark.parametrize("goes", ["jpeg", "tiff", "avif", "png", "webp", "gif"])
def test_the_hidden_image_of_an_animated_png_is_never_the_result(goes: str) -> None:
    frames = [PngFrame(block((*RED[:3], 128))), PngFrame(block(BLUE))]
    for count in (1, 2):
        source = png_of(apng(frames[:count], hidden=block(LIME)))
        result = process(source, (Convert(format=goes),))  # type: ignore[arg-type]
        red, green, blue, _ = shown(result)[0].getpixel((4, 4))  # type: ignore[misc]
        assert red > 200
        assert green == pytest.approx(blue, abs=4)


def test_an_animated_png_disposes_and_blends_by_its_specification() -> None:
    half = (0, 0, 255, 128)
    source = png_of(
        apng(
            [
                PngFrame(block(RED), disposal=2),  # to restore what was before the first frame is to clear
                PngFrame(block(LIME, (4, 4)), 4, 4, disposal=1),
                PngFrame(block(half, (4, 4)), 0, 0, blended=True),
                PngFrame(block(half, (8, 4)), 0, 0, disposal=2, blended=True),
                PngFrame(block(half, (2, 2)), 0, 0, blended=False),
            ]
        )
    )
    places = ((1, 1), (3, 3), (7, 1), (7, 7))
    seen = [[picture.getpixel(at) for at in places] for picture in as_png(source)]
    twice = (0, 0, 255, 192)
    assert seen == [
        [RED] * 4,
        [NOTHING, NOTHING, NOTHING, LIME],
        [half, half, NOTHING, NOTHING],
        [twice, twice, half, NOTHING],
        [half, half, NOTHING, NOTHING],
    ]


def broken_sequences() -> dict[str, bytes]:
    frames = [PngFrame(block(RED)), PngFrame(block(LIME, (4, 4)), 2, 2), PngFrame(block(BLUE))]
    sound = apng(frames)
    header, control, first, still, second, pixels, third, more, end = sound
    beyond = PngFrame(block(LIME, (4, 4)), 6, 6)
    return {
        "announces too many": png_of([header, chunk(b"acTL", struct.pack(">II", 9, 0)), *sound[2:]]),
        "announces too few": png_of([header, chunk(b"acTL", struct.pack(">II", 2, 0)), *sound[2:]]),
        "announces none": png_of([header, chunk(b"acTL", struct.pack(">II", 0, 0)), *sound[2:]]),
        "announces none and has none": png_of([header, chunk(b"acTL", struct.pack(">II", 0, 0)), still, end]),
        "announces twice": png_of([header, control, *sound[1:]]),
        "a gap": png_of([header, control, first, still, third, more, end]),
        "in another order": png_of([header, control, first, still, third, more, second, pixels, end]),
        "a head without pixels": png_of([header, control, first, still, second, third, more, end]),
        "pixels without a head": png_of([header, control, first, still, pixels, second, third, more, end]),
        "beyond the image": png_of(apng([frames[0], beyond])),
        "a small first frame": png_of([header, control, beyond.control(0), *sound[3:]]),
        "an unknown disposal": png_of(apng([frames[0], PngFrame(block(LIME), disposal=3)])),
        "a short head": png_of([header, control, first, still, chunk(b"fcTL", bytes(7)), *sound[5:]]),
        "broken pixels": png_of([*sound[:5], chunk(b"fdAT", pixels[8:12] + b"\x78\x9c" + b"\xff" * 20), *sound[6:]]),
        "too few pixels": png_of([*sound[:5], chunk(b"fdAT", pixels[8:-18]), *sound[6:]]),
    }


@pytest.mark.parametrize("name", broken_sequences())
@pytest.mark.parametrize("goes", ["png", "jpeg", "gif"])
def test_an_animated_png_whose_sequence_is_broken_is_its_still_image(name: str, goes: str) -> None:
    result = process(broken_sequences()[name], (Convert(format=goes),))  # type: ignore[arg-type]
    assert result.frames == 1
    assert shown(result)[0].getpixel((4, 4)) == pytest.approx(RED, abs=2)


def test_an_animation_has_one_size_whatever_is_cropped() -> None:
    source = gif((8, 8), GifFrame(FULL, 0), GifFrame((4, 4, 8, 8), 1), GifFrame((0, 0, 1, 1), 2))
    for operation in (Crop(box=(0.5, 0.5, 0.5, 0.5)), Crop(width=3, height=5), Resize(height=3)):
        for goes in ANIMATED:
            assert len(shown(process(source, (operation, Convert(format=goes))))) > 1


@pytest.mark.parametrize("name", ["jpeg", "png", "webp", "avif", "gif", "tiff"])
def test_a_result_of_another_size_or_without_an_end_is_none(name: str) -> None:
    image = block(RED).convert("RGB")
    data = encode(image, name.upper())
    assert verify(data, ImageFormat(name), [image], ()) == 1
    with pytest.raises(WrongResultError):
        verify(data, ImageFormat(name), [image.resize((8, 9))], ())
    if name == "tiff":
        return  # which has its header at its end or at its start
    with pytest.raises((WrongResultError, OSError)):
        verify(data[: len(data) // 2], ImageFormat(name), [image], ())


@pytest.mark.parametrize("name", ["png", "webp", "gif"])
def test_a_result_that_lost_a_frame_or_has_one_too_many_is_none(name: str) -> None:
    images = [block(colour).convert("RGB") for colour in (RED, LIME, BLUE)]
    data, count = encoding.encode(images, Target(ImageFormat(name)), Animation([100, 200, 300], 0))
    assert count == 3
    with pytest.raises(WrongResultError):
        verify(data, ImageFormat(name), images[:2], (100, 200))
    with pytest.raises(WrongResultError):
        verify(data, ImageFormat(name), [*images, images[0]], (100, 200, 300, 400))


@pytest.mark.parametrize("name", ["png", "webp", "gif"])
def test_frames_of_different_sizes_are_never_a_result(name: str) -> None:
    images = [block(RED).convert("RGB"), block(LIME, (12, 12)).convert("RGB")]
    with pytest.raises(UnexpectedError, match="failed unexpectedly"):
        encoding.encode(images, Target(ImageFormat(name)), Animation([100, 100], 0))
