"""A watermark is where, as large and as strong as it is asked to be."""

import numpy as np
import pytest
from darkroom_imaging.engine import process
from darkroom_imaging.errors import BadOperationError, NotAnImageError
from darkroom_imaging.operations import Convert, Operation, Position, Watermark
from PIL import Image, ImageChops
from support.pictures import decode, encode

AS_PNG = Convert(format="png")
LOGO = "a" * 32


def marked(operation: Operation, picture: Image.Image, overlay: bytes = b"") -> Image.Image:
    return decode(process(encode(picture, "PNG"), (operation, AS_PNG), overlays={LOGO: overlay}).data)


def logo(size: tuple[int, int] = (40, 20)) -> bytes:
    return encode(Image.new("RGB", size, (255, 0, 0)), "PNG")


def changed(result: Image.Image, picture: Image.Image) -> tuple[int, int, int, int]:
    box = ImageChops.difference(result.convert("RGB"), picture.convert("RGB")).getbbox()
    assert box is not None
    return box


@pytest.mark.parametrize(
    ("position", "corner"),
    [
        ("top-left", (4, 4)),
        ("top", (150, 4)),
        ("top-right", (296, 4)),
        ("left", (4, 75)),
        ("center", (150, 75)),
        ("right", (296, 75)),
        ("bottom-left", (4, 146)),
        ("bottom", (150, 146)),
        ("bottom-right", (296, 146)),
    ],
)
def test_an_image_is_put_where_its_position_says(position: Position, corner: tuple[int, int]) -> None:
    picture = Image.new("RGB", (400, 200), "grey")
    result = marked(Watermark(image_id=LOGO, position=position), picture, logo())
    assert changed(result, picture) == (*corner, corner[0] + 100, corner[1] + 50)


@pytest.mark.parametrize("opacity", [0.1, 0.5, 1.0])
def test_an_image_covers_as_much_as_its_opacity_says(opacity: float) -> None:
    result = marked(Watermark(image_id=LOGO, position="center", opacity=opacity), Image.new("RGB", (400, 200)), logo())
    colour = result.getpixel((200, 100))
    assert isinstance(colour, tuple)
    assert abs(colour[0] - 255 * opacity) <= 1.5


def test_an_image_never_stands_out_of_the_picture() -> None:
    picture = Image.new("RGB", (300, 60), "grey")
    left, top, right, bottom = changed(marked(Watermark(image_id=LOGO, scale=1), picture, logo((10, 90))), picture)
    assert top >= 1
    assert bottom <= 59
    assert (right - left) / (bottom - top) == pytest.approx(10 / 90, abs=0.05)


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA"])
def test_a_text_is_as_wide_as_its_scale_says(mode: str) -> None:
    picture = Image.new(mode, (800, 300), "grey")
    left, _, right, _ = changed(marked(Watermark(text="© Darkroom, 2026", scale=0.5), picture), picture)
    assert 370 <= right - left <= 402


def test_a_text_can_be_read_on_white_and_on_black() -> None:
    for ground in ("white", "black"):
        picture = Image.new("RGB", (800, 300), ground)
        result = marked(Watermark(text="Darkroom", opacity=1, scale=0.6), picture)
        assert np.asarray(result).std() > 20


def test_on_a_transparent_image_the_mark_is_seen() -> None:
    result = marked(Watermark(image_id=LOGO, position="center", opacity=0.5), Image.new("RGBA", (400, 200)), logo())
    assert result.getpixel((200, 100)) == (255, 0, 0, 128)
    assert result.getpixel((2, 2)) == (0, 0, 0, 0)


@pytest.mark.parametrize("text", ["x" * 200, "i", "日本語", "a\nb\tc", "\U0001f600", "🇫🇷 e\u0301 \u202eabc", "مرحبا"])
@pytest.mark.parametrize("size", [(1, 1), (3, 200), (200, 3), (300, 200)])
def test_any_text_can_be_put_on_any_size(text: str, size: tuple[int, int]) -> None:
    assert marked(Watermark(text=text, scale=1), Image.new("RGB", size)).size == size


@pytest.mark.parametrize("text", [" ", "\n\n", "\x00"])
def test_a_text_of_nothing_is_refused(text: str) -> None:
    with pytest.raises(BadOperationError, match="no letters that can be drawn"):
        marked(Watermark(text=text), Image.new("RGB", (100, 100)))


def test_an_overlay_that_is_gone_fails_with_a_sentence() -> None:
    with pytest.raises(BadOperationError, match="not there any more"):
        process(encode(Image.new("RGB", (9, 9)), "PNG"), (Watermark(image_id=LOGO),))


def test_an_overlay_is_opened_with_the_same_care() -> None:
    with pytest.raises(NotAnImageError):
        marked(Watermark(image_id=LOGO), Image.new("RGB", (9, 9)), b"<svg/>")
