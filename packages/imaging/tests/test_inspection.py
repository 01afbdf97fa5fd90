"""What a first look finds out about a file, and that it never refuses a good one."""

import io
import struct
import subprocess
import sys
import time
import zlib
from contextlib import suppress
from importlib.util import find_spec

import pytest
from darkroom_contracts.formats import ImageFormat
from darkroom_imaging.errors import DamagedImageError, ImageError, ImageTooLargeError, NotAnImageError
from darkroom_imaging.inspection import inspect
from darkroom_imaging.limits import Limits
from darkroom_imaging.scanning import Budget
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

# Damaged metadata makes Pillow warn, and a warning is no reason to refuse.
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")


def encoded(form: str, *, frames: int = 1, mode: str = "RGB", **options: object) -> bytes:
    noise = [Image.effect_noise((90, 70), 60 + frame).convert(mode) for frame in range(frames)]
    file = io.BytesIO()
    more = {"save_all": True, "append_images": noise[1:]} if frames > 1 else {}
    noise[0].save(file, form, **more, **options)
    return file.getvalue()


def look(data: bytes) -> ImageFormat:
    return inspect(io.BytesIO(data), Limits()).format


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
@pytest.mark.parametrize("more", [b"\0" * 100 + b"something else", b"PK\3\4<?php evil(); ?>", b"\n"])
def test_what_follows_a_good_file_does_not_matter(name: str, more: bytes) -> None:
    look(GOOD[name] + more)


@pytest.mark.parametrize("name", WITH_AN_END)
@pytest.mark.parametrize("share", [0.3, 0.5, 0.9, 0.99])
def test_a_truncated_file_is_refused_with_a_sentence(name: str, share: float) -> None:
    data = GOOD[name]
    with pytest.raises(DamagedImageError, match=r"^The \w+ file ends too early; it is incomplete\.$"):
        look(data[: int(len(data) * share)])


@pytest.mark.parametrize("name", ["gif", "animated gif"])
def test_a_gif_that_ends_within_a_block_is_refused(name: str) -> None:
    with pytest.raises(DamagedImageError, match="ends too early"):
        look(GOOD[name][: len(GOOD[name]) // 2])


def test_a_gif_without_its_trailer_is_left_to_the_decoder() -> None:
    assert look(GOOD["gif"][:-1]) == "gif"


def test_more_pixels_than_are_taken_are_refused_from_the_header_alone() -> None:
    header = struct.pack(">IIBBBBB", 30_000, 30_000, 8, 2, 0, 0, 0)
    chunk = b"IHDR" + header
    data = b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + chunk + struct.pack(">I", zlib.crc32(chunk))
    with pytest.raises(ImageTooLargeError, match=r"30,000 × 30,000 px; the limit is 50 megapixels\.$"):
        look(data + struct.pack(">I", 0) + b"IDAT" + struct.pack(">I", zlib.crc32(b"IDAT")))


def test_as_many_pixels_as_are_taken_are_taken() -> None:
    assert inspect(io.BytesIO(GOOD["png"]), limits=Limits(max_pixels=90 * 70)).width == 90
    with pytest.raises(ImageTooLargeError, match="megapixels"):
        inspect(io.BytesIO(GOOD["png"]), limits=Limits(max_pixels=90 * 70 - 1))


@pytest.mark.parametrize("data", [b"hello", b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"%PDF-1.4", b"\xff\xd8"])
def test_what_is_no_image_is_refused_with_the_formats_that_are_read(data: bytes) -> None:
    with pytest.raises(NotAnImageError, match=r"Unsupported image format\. Supported: AVIF, BMP, GIF, "):
        look(data)


def test_an_empty_file_is_called_empty() -> None:
    with pytest.raises(DamagedImageError, match=r"^The file is empty\.$"):
        look(b"")


@pytest.mark.parametrize("form", ["EPS", "PPM", "ICO", "TGA", "PCX"])
def test_no_other_format_is_ever_opened(form: str) -> None:
    with pytest.raises(NotAnImageError, match="Unsupported image format"):
        look(encoded(form))


@given(st.sampled_from(sorted(GOOD)), st.data())
def test_a_damaged_file_is_taken_or_refused_but_nothing_else_happens(name: str, draw: st.DataObject) -> None:
    data = bytearray(GOOD[name])
    places = draw.draw(st.lists(st.integers(0, min(len(data), 600) - 1), max_size=8))
    for place in places:
        data[place] = draw.draw(st.integers(0, 255))
    with suppress(ImageError):
        look(bytes(data[: draw.draw(st.integers(0, len(data)))]))


def test_a_look_needs_neither_numpy_nor_opencv() -> None:
    seen = "import sys, darkroom_imaging.inspection; print({'cv2', 'numpy'} & set(sys.modules))"
    output = subprocess.run([sys.executable, "-c", seen], check=True, capture_output=True, text=True).stdout
    assert output == "set()\n"


def jpeg_with(filler: bytes) -> bytes:
    plain = encoded("JPEG")
    return plain[:2] + filler + plain[2:]


def png_with(chunk: bytes, count: int) -> bytes:
    plain = encoded("PNG")
    return plain[:33] + chunk * count + plain[33:]


def gif_with(blocks: bytes) -> bytes:
    plain = encoded("GIF", mode="P")
    return plain[:-1] + b"\x21\xfe" + blocks + b"\0\x3b"


MEGABYTES = 25_000_000
"""Bytes of a hostile file."""
_EMPTY_CHUNK = b"\0\0\0\0teXt" + struct.pack(">I", zlib.crc32(b"teXt"))
HOSTILE = {
    "jpeg with fill bytes": lambda: jpeg_with(b"\xff" * MEGABYTES),
    "jpeg with junk": lambda: jpeg_with(b"\xff\xe1\0\2" + bytes(MEGABYTES)),
    "jpeg with stuffed zeros": lambda: jpeg_with(b"\xff\0" * (MEGABYTES // 2)),
    "jpeg with empty segments": lambda: jpeg_with(b"\xff\xe1\0\2" * (MEGABYTES // 4)),
    "jpeg with lone markers": lambda: jpeg_with(b"\xff\xd0" * (MEGABYTES // 2)),
    "jpeg without an end": lambda: encoded("JPEG")[:-2] + b"\xff\0" * (MEGABYTES // 2),
    "png with empty chunks": lambda: png_with(_EMPTY_CHUNK, MEGABYTES // 12),
    "gif with tiny blocks": lambda: gif_with(b"\1a" * (MEGABYTES // 2)),
    "gif with empty extensions": lambda: gif_with(b"\1a\0" + b"\x21\xfe\0" * (MEGABYTES // 3)),
    "webp of nothing": lambda: b"RIFF" + struct.pack("<I", MEGABYTES) + b"WEBPVP8X" + bytes(MEGABYTES),
    "avif with empty boxes": lambda: encoded("AVIF")[:32] + b"\0\0\0\x08free" * (MEGABYTES // 8),
    "avif with nested boxes": lambda: (
        encoded("AVIF")[:32]
        + struct.pack(">I4s", MEGABYTES, b"meta")
        + bytes(4)
        + struct.pack(">I4s", 0, b"iprp") * (MEGABYTES // 8)
    ),
    "tiff with as many entries as it may": lambda: b"II*\0\x08\0\0\0\0\x10" + bytes(MEGABYTES),
    "tiff with entries": lambda: b"II*\0\x08\0\0\0\xff\xff" + bytes(MEGABYTES),
    "big tiff with entries": lambda: b"II+\0\x08\0\0\0" + struct.pack("<QQ", 16, 2**60) + bytes(MEGABYTES),
    "tiff with a million widths": lambda: (
        b"II*\0\x08\0\0\0\2\0"
        + struct.pack("<HHIIHHII", 256, 4, 10**6, 40, 257, 4, 10**6, 40)
        + b"\1\0\0\0" * (MEGABYTES // 4)
    ),
    "bmp with more behind it": lambda: encoded("BMP") + bytes(MEGABYTES),
}

GOOD_GIF_OF_MANY_BLOCKS = gif_with(b"\1a" * 10_000)


@pytest.mark.parametrize("name", HOSTILE)
def test_a_look_at_a_file_made_to_take_long_costs_little(name: str) -> None:
    data = HOSTILE[name]()
    begin = time.process_time()
    with suppress(ImageError):
        look(data)
    assert time.process_time() - begin < 2


@pytest.mark.parametrize("name", HOSTILE)
def test_a_look_at_a_thousand_hostile_files_of_one_request_costs_little(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.modules[__name__], "MEGABYTES", 500_000)
    data, budget = HOSTILE[name](), Budget()
    begin = time.process_time()
    for _ in range(1_000):
        with suppress(ImageError):
            inspect(io.BytesIO(data), Limits(), budget)
    assert time.process_time() - begin < 6  # mostly less than half of it; processors differ


def test_the_files_of_one_request_share_a_budget() -> None:
    budget = Budget()
    for _ in range(1_000):
        inspect(io.BytesIO(GOOD_GIF_OF_MANY_BLOCKS), Limits(), budget)
    assert budget.steps >= -1_000 * 129


@pytest.mark.parametrize("name", GOOD)
def test_a_good_file_is_taken_when_the_budget_is_spent(name: str) -> None:
    inspect(io.BytesIO(GOOD[name]), Limits(), Budget(steps=0))


def test_a_file_whose_image_does_not_begin_is_over_a_limit() -> None:
    with pytest.raises(ImageTooLargeError, match="too many parts before its image"):
        look(HOSTILE["jpeg with empty segments"]())


def test_fill_bytes_and_what_no_decoder_reads_do_not_make_an_image_unfit() -> None:
    assert look(HOSTILE["jpeg with fill bytes"]()) == "jpeg"
    assert look(HOSTILE["png with empty chunks"]()) == "png"
    assert look(HOSTILE["gif with tiny blocks"]()) == "gif"


@pytest.mark.skipif(find_spec("pillow_heif") is not None, reason="the optional decoder of HEIC is installed")
def test_heic_is_named_where_its_decoder_is_not_installed() -> None:
    with pytest.raises(NotAnImageError, match="HEIC is not supported by this server"):
        look(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(90))
