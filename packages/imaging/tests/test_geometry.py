"""Resize, crop, rotate, flip: sizes by their rules, pixels where they belong."""

import numpy as np
import pytest
from darkroom_imaging.engine import process
from darkroom_imaging.errors import BadOperationError, ImageTooLargeError
from darkroom_imaging.limits import Limits
from darkroom_imaging.operations import Blur, Convert, Crop, Flip, Operation, Position, Region, Resize, Rotate
from PIL import Image
from support.pictures import decode, encode, photograph, pixels, psnr

AS_PNG = Convert(format="png")


def through(picture: Image.Image, *pipeline: Operation, form: str = "PNG") -> Image.Image:
    result = decode(process(encode(picture, form), (*pipeline, AS_PNG)).data).copy()
    result.info.clear()
    return result


def quarters() -> Image.Image:
    """Red, green over blue, white: which corner is which can be told."""
    picture = Image.new("RGB", (80, 60), "white")
    picture.paste("red", (0, 0, 40, 30))
    picture.paste("green", (40, 0, 80, 30))
    picture.paste("blue", (0, 30, 40, 60))
    return picture


@pytest.mark.parametrize("form", ["PNG", "JPEG"])
@pytest.mark.parametrize(
    ("operation", "size"),
    [
        (Resize(width=160), (160, 120)),
        (Resize(height=60), (80, 60)),
        (Resize(width=100, height=100), (100, 75)),
        (Resize(width=30, height=400), (30, 23)),
        (Resize(width=100, height=100, fit="cover"), (100, 100)),
        (Resize(width=400, height=100, fit="cover"), (320, 100)),
        (Resize(width=640, height=480, fit="cover"), (320, 240)),
        (Resize(width=100, height=100, fit="fill"), (100, 100)),
        (Resize(width=100, fit="fill"), (100, 75)),
        (Resize(width=640, height=20, fit="fill"), (320, 20)),
        (Resize(width=640), (320, 240)),
        (Resize(width=640, enlarge=True), (640, 480)),
        (Resize(width=640, height=640, enlarge=True), (640, 480)),
        (Resize(width=640, height=640, fit="cover", enlarge=True), (640, 640)),
        (Resize(width=640, height=20, fit="fill", enlarge=True), (640, 20)),
        (Resize(height=1), (1, 1)),
    ],
)
def test_a_resize_gives_the_size_its_rules_say(operation: Resize, size: tuple[int, int], form: str) -> None:
    result = process(encode(photograph(320, 240), form), (operation,))
    assert (result.width, result.height) == size == decode(result.data).size


@pytest.mark.parametrize("size", [(1280, 960), (1283, 957), (1285, 963)])
@pytest.mark.parametrize("width", [100, 150, 300, 600])
def test_a_thumbnail_shows_the_same_as_one_of_the_whole_image(size: tuple[int, int], width: int) -> None:
    source = encode(photograph(*size))
    result = decode(process(source, (Resize(width=width), AS_PNG)).data)
    exact = decode(source).resize(result.size, Image.Resampling.LANCZOS)
    assert psnr(pixels(result), pixels(exact)) > 38


def test_what_cover_cuts_off_it_cuts_evenly() -> None:
    ramp = Image.fromarray(np.tile(np.arange(256, dtype=np.uint8), (64, 1)))
    row = np.asarray(through(ramp, Resize(width=64, height=64, fit="cover")))[32]
    assert (row[0], row[-1]) == (96, 159)


def test_a_resize_does_not_mix_in_the_colour_of_what_is_transparent() -> None:
    picture = Image.new("RGBA", (200, 200), (0, 0, 255, 0))
    picture.paste((255, 0, 0, 255), (33, 33, 167, 167))
    result = np.asarray(through(picture, Resize(width=50)))
    assert result[result[..., 3] > 8][:, 2].max() <= 2


def test_a_resize_beyond_the_limit_is_refused_before_memory_is_taken() -> None:
    with pytest.raises(ImageTooLargeError, match=r"The resized image is too large: 16,384 × 12,288 px"):
        process(encode(photograph(), "PNG"), (Resize(width=16_384, enlarge=True),))


@pytest.mark.parametrize(
    ("gravity", "corner"),
    [
        ("top-left", (0, 0)),
        ("top", (30, 0)),
        ("top-right", (60, 0)),
        ("left", (0, 25)),
        ("center", (30, 25)),
        ("right", (60, 25)),
        ("bottom-left", (0, 50)),
        ("bottom", (30, 50)),
        ("bottom-right", (60, 50)),
    ],
)
def test_a_crop_by_size_is_taken_where_its_gravity_says(gravity: Position, corner: tuple[int, int]) -> None:
    picture = photograph(80, 60)
    expected = picture.crop((*corner, corner[0] + 20, corner[1] + 10))
    assert through(picture, Crop(width=20, height=10, gravity=gravity)) == expected


@pytest.mark.parametrize(
    ("box", "kept"),
    [
        ((10, 20, 30, 15), (10, 20, 40, 35)),
        ((0.5, 0.25, 0.5, 0.5), (40, 15, 80, 45)),
        ((70, 50, 100, 100), (70, 50, 80, 60)),
        ((-10, -10, 20, 20), (0, 0, 10, 10)),
        ((0.1, 0.7, 0.7, 0.1), (8, 42, 64, 48)),
        ((10.5, 20.5, 2, 2), (10, 20, 13, 23)),
    ],
)
def test_a_crop_by_box_keeps_each_pixel_the_box_touches(box: Region, kept: tuple[int, int, int, int]) -> None:
    picture = photograph(80, 60)
    assert through(picture, Crop(box=box)) == picture.crop(kept)


def test_a_crop_larger_than_the_image_keeps_all_of_it() -> None:
    assert through(photograph(80, 60), Crop(width=100, height=30)).size == (80, 30)


def test_a_crop_outside_of_the_image_is_refused() -> None:
    with pytest.raises(BadOperationError, match="covers nothing of the image"):
        through(photograph(80, 60), Crop(box=(80, 0, 10, 10)))


@pytest.mark.parametrize(
    ("angle", "turn"),
    [
        (90, Image.Transpose.ROTATE_270),
        (-270, Image.Transpose.ROTATE_270),
        (180, Image.Transpose.ROTATE_180),
        (270, Image.Transpose.ROTATE_90),
        (-90, Image.Transpose.ROTATE_90),
    ],
)
def test_a_quarter_turn_is_exact_and_clockwise(angle: float, turn: Image.Transpose) -> None:
    assert through(photograph(80, 60), Rotate(angle=angle)) == photograph(80, 60).transpose(turn)


@pytest.mark.parametrize("angle", [0, 360, -360])
def test_a_whole_turn_changes_nothing(angle: float) -> None:
    assert through(photograph(80, 60), Rotate(angle=angle)) == photograph(80, 60)


def test_a_small_turn_goes_clockwise_and_keeps_every_corner() -> None:
    result = through(quarters(), Rotate(angle=45)).convert("RGBA")
    assert result.size == (99, 99)
    for at, colour in (((42, 14), "red"), ((80, 49), "green"), ((20, 49), "blue")):
        assert result.getpixel(at) == Image.new("RGBA", (1, 1), colour).getpixel((0, 0))
    assert result.getpixel((2, 2)) == (0, 0, 0, 0)


def test_turning_there_and_back_gives_the_image() -> None:
    picture = photograph(160, 120).resize((320, 240), Image.Resampling.BICUBIC)
    there_and_back = through(picture, Rotate(angle=30), Rotate(angle=-30), Crop(width=200, height=150))
    assert psnr(pixels(there_and_back), pixels(picture.crop((60, 45, 260, 195)))) > 32


@pytest.mark.parametrize(
    ("background", "corner"),
    [("#ff0000", (255, 0, 0, 255)), ("#00ff0080", (0, 255, 0, 128)), ("#00000000", (0, 0, 0, 0))],
)
def test_the_corners_of_a_rotated_image_have_the_background(background: str, corner: tuple[int, ...]) -> None:
    assert through(quarters(), Rotate(angle=10, background=background)).convert("RGBA").getpixel((0, 0)) == corner


def test_the_corners_of_a_rotated_jpeg_are_white() -> None:
    result = decode(process(encode(quarters()), (Rotate(angle=10),)).data)
    assert pixels(result)[0, 0].min() > 250


def test_a_rotation_beyond_the_limit_is_refused() -> None:
    with pytest.raises(ImageTooLargeError, match="The rotated image is too large"):
        process(encode(quarters(), "PNG"), (Rotate(angle=45),), limits=Limits(max_pixels=6_000))


@pytest.mark.parametrize(
    ("operation", "turn"),
    [(Flip(), Image.Transpose.FLIP_LEFT_RIGHT), (Flip(direction="vertical"), Image.Transpose.FLIP_TOP_BOTTOM)],
)
def test_a_flip_mirrors(operation: Flip, turn: Image.Transpose) -> None:
    assert through(photograph(80, 60), operation) == photograph(80, 60).transpose(turn)


def test_operations_are_done_in_their_order() -> None:
    picture = photograph(320, 240)
    resized_first = through(picture, Resize(width=80), Blur(radius=4))
    blurred_first = through(picture, Blur(radius=4), Resize(width=80))
    assert psnr(pixels(resized_first), pixels(blurred_first)) < 40


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("pipeline", [(), (Resize(width=25),), (Resize(width=20, height=20, fit="cover"),)])
def test_the_orientation_is_applied_before_anything_else(pipeline: tuple[Operation, ...], orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    upright = quarters().resize((800, 600), Image.Resampling.NEAREST)
    back = {5: 5, 6: 8, 7: 7, 8: 6}.get(orientation, orientation)
    lying = upright if back == 1 else upright.transpose(_TURNS[back])
    result = decode(process(encode(lying, exif=exif), (*pipeline, AS_PNG)).data)
    expected = decode(process(encode(upright, "PNG"), (*pipeline, AS_PNG)).data)
    assert result.size == expected.size
    assert psnr(pixels(result), pixels(expected)) > 30


_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
