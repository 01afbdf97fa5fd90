"""What a first look finds out about a file, and that it never refuses a good one."""

import io
import struct
import zlib
from contextlib import suppress

import pytest
from darkroom_api.uploads.inspection import UnfitImageError, inspect
from darkroom_contracts.formats import ImageFormat
from darkroom_contracts.problems import ProblemCode
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

LIMIT = 50_000_000

# Damaged metadata makes Pillow warn, and a warning is no reason to refuse.
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")


def encoded(form: str, *, frames: int = 1, mode: str = "RGB", **options: object) -> bytes:
    noise = [Image.effect_noise((90, 70), 60 + frame).convert(mode) for frame in range(frames)]
    file = io.BytesIO()
    more = {"save_all": True, "append_images": noise[1:]} if frames > 1 else {}
    noise[0].save(file, form, **more, **options)
    return file.getvalue()


def look(data: bytes) -> ImageFormat:
    return inspect(io.BytesIO(data), max_pixels=LIMIT).format


def with_thumbnail() -> bytes:
    """A JPEG whose metadata holds another one, with an end marker of its own."""
    exif = b"Exif\0\0MM\0*\0\0\0\x08\0\0\0\0\0\0" + encoded("JPEG")
    plain = encoded("JPEG")
    return plain[:2] + b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + plain[2:]


GOOD = {
    "jpeg": encoded("JPEG"),
    "progressive jpeg": encoded("JPEG", progressive=True),
    "grey jpeg": encoded("JPEG", mode="L"),
    "cmyk jpeg": encoded("JPEG", mode="CMYK"),
    "jpeg with a thumbnail": with_thumbnail(),
    "several jpegs in one": encoded("MPO", frames=2),
    "png": encoded("PNG"),
    "palette png": encoded("PNG", mode="P"),
    "animated png": encoded("PNG", frames=3),
    "webp": encoded("WEBP"),
    "lossless webp": encoded("WEBP", lossless=True, mode="RGBA"),
    "animated webp": encoded("WEBP", frames=3),
    "avif": encoded("AVIF"),
    "gif": encoded("GIF", mode="P"),
    "animated gif": encoded("GIF", frames=3, mode="P"),
    "tiff": encoded("TIFF"),
    "compressed tiff": encoded("TIFF", compression="tiff_lzw"),
    "bmp": encoded("BMP"),
}
WITH_AN_END = [name for name in GOOD if not name.endswith(("tiff", "bmp", "gif", "in one"))]


@pytest.mark.parametrize("name", GOOD)
def test_a_good_file_is_taken(name: str) -> None:
    expected = "jpeg" if "jpeg" in name else name.split()[-1]
    assert look(GOOD[name]) == expected


@pytest.mark.parametrize("name", GOOD)
def test_what_follows_a_good_file_does_not_matter(name: str) -> None:
    look(GOOD[name] + b"\0" * 100 + b"something else")


@pytest.mark.parametrize("name", WITH_AN_END)
@pytest.mark.parametrize("share", [0.3, 0.5, 0.9, 0.99])
def test_a_truncated_file_is_refused_with_a_sentence(name: str, share: float) -> None:
    data = GOOD[name]
    with pytest.raises(UnfitImageError, match=r"^The \w+ file ends too early; it is not complete\.$|^It is no image"):
        look(data[: int(len(data) * share)])


@pytest.mark.parametrize("name", ["gif", "animated gif"])
def test_a_gif_that_ends_within_a_block_is_refused(name: str) -> None:
    with pytest.raises(UnfitImageError, match="ends too early"):
        look(GOOD[name][: len(GOOD[name]) // 2])


def test_a_gif_without_its_trailer_is_left_to_the_decoder() -> None:
    assert look(GOOD["gif"][:-1]) == "gif"


def test_more_pixels_than_are_taken_are_refused_from_the_header_alone() -> None:
    header = struct.pack(">IIBBBBB", 30_000, 30_000, 8, 2, 0, 0, 0)
    chunk = b"IHDR" + header
    data = b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + chunk + struct.pack(">I", zlib.crc32(chunk))
    with pytest.raises(UnfitImageError, match=r"30000 x 30000 pixels, and at most 50,000,000") as refusal:
        look(data + struct.pack(">I", 0) + b"IDAT" + struct.pack(">I", zlib.crc32(b"IDAT")))
    assert refusal.value.code is ProblemCode.IMAGE_TOO_LARGE


def test_as_many_pixels_as_are_taken_are_taken() -> None:
    assert inspect(io.BytesIO(GOOD["png"]), max_pixels=90 * 70).width == 90
    with pytest.raises(UnfitImageError, match="pixels"):
        inspect(io.BytesIO(GOOD["png"]), max_pixels=90 * 70 - 1)


@pytest.mark.parametrize("data", [b"hello", b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"%PDF-1.4", b"\xff\xd8"])
def test_what_is_no_image_is_refused_with_the_formats_that_are_read(data: bytes) -> None:
    with pytest.raises(UnfitImageError, match="no image of a format that is read here: AVIF, BMP, GIF, JPEG"):
        look(data)


def test_an_empty_file_is_called_empty() -> None:
    with pytest.raises(UnfitImageError, match=r"^The file is empty\.$"):
        look(b"")


@pytest.mark.parametrize("form", ["EPS", "PPM", "ICO", "TGA", "PCX"])
def test_no_other_format_is_ever_opened(form: str) -> None:
    with pytest.raises(UnfitImageError, match="no image of a format"):
        look(encoded(form))


@given(st.sampled_from(sorted(GOOD)), st.data())
def test_a_damaged_file_is_taken_or_refused_but_nothing_else_happens(name: str, draw: st.DataObject) -> None:
    data = bytearray(GOOD[name])
    places = draw.draw(st.lists(st.integers(0, min(len(data), 600) - 1), max_size=8))
    for place in places:
        data[place] = draw.draw(st.integers(0, 255))
    with suppress(UnfitImageError):
        look(bytes(data[: draw.draw(st.integers(0, len(data)))]))
