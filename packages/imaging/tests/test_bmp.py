"""BMPs of every depth and with any masks come out right, and what is not read is called unsupported."""

import io
import struct
from collections.abc import Sequence

import numpy as np
import pytest
from darkroom_contracts.problems import ProblemCode
from darkroom_imaging.engine import process
from darkroom_imaging.errors import DamagedImageError, ImageError, NotAnImageError
from darkroom_imaging.inspection import inspect
from darkroom_imaging.limits import Limits
from darkroom_imaging.operations import Convert
from numpy.typing import NDArray
from PIL import Image
from support.pictures import decode

WIDTH, HEIGHT = 37, 29
RAW, RLE8, RLE4, BIT_FIELDS, JPEG, PNG, ALPHA_BIT_FIELDS = range(7)


def bmp(
    bits: int,
    pixels: bytes,
    *,
    compression: int = RAW,
    masks: Sequence[int] = (),
    palette: bytes = b"",
    header: int = 40,
    size: tuple[int, int] = (WIDTH, HEIGHT),
) -> bytes:
    """A BMP; masks stand within the header where it has room for them, else behind it."""
    colours = len(palette) // 4
    info = struct.pack("<IiiHHIIiiII", header, *size, 1, bits, compression, len(pixels), 0, 0, colours, 0)
    info = info[:header] if header < 40 else (info + struct.pack(f"<{len(masks)}I", *masks)).ljust(header, b"\0")
    start = 14 + len(info) + len(palette)
    return struct.pack("<2sIHHI", b"BM", start + len(pixels), 0, 0, start) + info + palette + pixels


def rows(numbers: NDArray[np.uint32], bits: int) -> bytes:
    """From the bottom to the top, each filled up to 32 bits."""
    size = bits // 8
    return b"".join(
        b"".join(int(number).to_bytes(size, "little") for number in row).ljust(-(-WIDTH * size // 4) * 4, b"\0")
        for row in numbers[::-1]
    )


def result(source: bytes) -> NDArray[np.uint8]:
    assert inspect(io.BytesIO(source), Limits()).format == "bmp"
    return np.asarray(decode(process(source, (Convert(format="png"),)).data))


def refusals(source: bytes) -> set[tuple[ProblemCode, str]]:
    """How both the look at a file and the engine refuse it."""
    found = set()
    for gate in (lambda: inspect(io.BytesIO(source), Limits()), lambda: process(source)):
        with pytest.raises(ImageError) as refusal:
            gate()
        found.add((refusal.value.code, str(refusal.value)))
    return found


LAYOUTS = {
    "10-10-10": (32, (0x3FF00000, 0xFFC00, 0x3FF)),
    "10-10-10, blue first": (32, (0x3FF, 0xFFC00, 0x3FF00000)),
    "10-10-10-2": (32, (0x3FF00000, 0xFFC00, 0x3FF, 0xC0000000)),
    "11-11-10": (32, (0xFFE00000, 0x1FFC00, 0x3FF)),
    "8-8-8 in the middle": (32, (0x0FF00000, 0x000FF000, 0x00000FF0)),
    "8-8-8-8, opacity first": (32, (0xFF00, 0xFF0000, 0xFF000000, 0xFF)),
    "16-8-8": (32, (0xFFFF0000, 0xFF00, 0xFF)),
    "5-5-5": (16, (0x7C00, 0x3E0, 0x1F)),
    "5-6-5": (16, (0xF800, 0x7E0, 0x1F)),
    "5-6-5, blue first": (16, (0x1F, 0x7E0, 0xF800)),
    "4-4-4": (16, (0xF00, 0xF0, 0xF)),
    "4-4-4-4": (16, (0xF00, 0xF0, 0xF, 0xF000)),
    "5-5-5-1": (16, (0x7C00, 0x3E0, 0x1F, 0x8000)),
    "2-3-1": (16, (0x30, 0xE, 0x1)),
    "no green": (32, (0xFF0000, 0, 0xFF)),
}


@pytest.mark.parametrize("name", LAYOUTS)
def test_any_masks_are_read_and_rounded_to_eight_bits(name: str) -> None:
    bits, masks = LAYOUTS[name]
    numbers = np.random.default_rng(1).integers(0, 2**bits, (HEIGHT, WIDTH), dtype=np.uint32)
    expected = np.zeros((HEIGHT, WIDTH, len(masks)), np.uint8)
    for channel, mask in enumerate(masks):
        if mask:
            low = (mask & -mask).bit_length() - 1
            expected[..., channel] = np.rint(((numbers & mask) >> low).astype(float) * 255 / (mask >> low))
    compressions = (ALPHA_BIT_FIELDS, BIT_FIELDS) if len(masks) == 4 else (BIT_FIELDS,)
    for compression, header in zip(compressions, (40, 108), strict=False):
        source = bmp(bits, rows(numbers, bits), compression=compression, masks=masks, header=header)
        assert (result(source) == expected).all()


def test_sixteen_bits_without_masks_are_5_5_5_rounded() -> None:
    numbers = np.full((HEIGHT, WIDTH), 3 << 10 | 1, np.uint32)
    assert result(bmp(16, rows(numbers, 16)))[0, 0].tolist() == [25, 0, 8]


@pytest.mark.parametrize("bits", [1, 2, 4, 8])
@pytest.mark.parametrize("top_down", [False, True])
def test_a_palette_of_any_depth_is_read(bits: int, top_down: bool) -> None:
    random = np.random.default_rng(bits)
    colours = random.integers(0, 256, (2**bits, 4), dtype=np.uint8)
    indices = random.integers(0, 2**bits, (HEIGHT, WIDTH), dtype=np.uint8)
    unpacked = (indices[..., None] >> np.arange(bits - 1, -1, -1) & 1).reshape(HEIGHT, -1)
    packed = np.packbits(unpacked, axis=1)
    packed = np.pad(packed, ((0, 0), (0, -packed.shape[1] % 4)))
    body = (packed if top_down else packed[::-1]).tobytes()
    size = (WIDTH, -HEIGHT if top_down else HEIGHT)
    pixels = result(bmp(bits, body, palette=colours.tobytes(), size=size))
    assert (pixels == colours[indices][..., 2::-1]).all()


@pytest.mark.parametrize("header", [16, 20, 36, 40, 48, 64])
def test_headers_of_os2_are_read(header: int) -> None:
    image = np.random.default_rng(2).integers(0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8)
    numbers = (image.astype(np.uint32) << [16, 8, 0]).sum(axis=2, dtype=np.uint32)
    assert (result(bmp(24, rows(numbers, 24), header=header)) == image).all()


def grey(count: int) -> bytes:
    return bytes(part for level in range(count) for part in (level * 10, level * 10, level * 10, 0))


@pytest.mark.parametrize(
    ("bits", "compression", "commands", "expected"),
    [
        (8, RLE8, b"\3\1\0\1", [[0, 0, 0, 0], [1, 1, 1, 0]]),
        (8, RLE8, b"\4\1\0\0\1\2\0\3\3\4\5\0\0\1", [[2, 3, 4, 5], [1, 1, 1, 1]]),
        (8, RLE8, b"\1\1\0\2\1\1\2\2\0\1", [[0, 0, 2, 2], [1, 0, 0, 0]]),
        (8, RLE8, b"\4\1\0\0\4\2", [[2, 2, 2, 2], [1, 1, 1, 1]]),
        (8, RLE8, b"\xff\1\0\0\0\1", [[0, 0, 0, 0], [1, 1, 1, 1]]),
        (4, RLE4, b"\3\x12\0\0\0\3\x34\x50\0\1", [[3, 4, 5, 0], [1, 2, 1, 0]]),
    ],
)
def test_a_run_length_encoded_image_may_leave_pixels_out(
    bits: int, compression: int, commands: bytes, expected: list[list[int]]
) -> None:
    source = bmp(bits, commands, compression=compression, palette=grey(16), size=(4, 2))
    assert (result(source) // 10).tolist() == expected


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        (bmp(0, b"", compression=JPEG), "its pixels are a JPEG"),
        (bmp(0, b"", compression=PNG), "its pixels are a PNG"),
        (bmp(32, bytes(9_000), compression=11), "its colours are CMYK"),
        (bmp(1, b"", compression=3, header=64), "Huffman or RLE24 compression of OS/2"),
        (bmp(24, b"", compression=4, header=64), "Huffman or RLE24 compression of OS/2"),
        (bmp(64, bytes(9_000)), "64 bits per pixel"),
        (bmp(24, bytes(9_000), header=66), "a header of 66 bytes"),
        (bmp(24, bytes(9_000), compression=99), "compression 99"),
        (bmp(32, bytes(9_000), compression=3, masks=(0xF0F, 0xF0, 0xF000)), "colour masks with gaps"),
    ],
)
def test_what_is_not_read_is_called_unsupported_at_the_door_and_in_the_engine(source: bytes, reason: str) -> None:
    sentence = f"This kind of BMP is not supported: {reason}."
    assert refusals(source) == {(NotAnImageError.code, sentence)}


@pytest.mark.parametrize(
    "source",
    [
        bmp(24, bytes(100)),
        bmp(77, bytes(9_000)),
        bmp(24, bytes(9_000), size=(0, 9)),
        bmp(24, bytes(9_000), size=(-9, 9)),
        bmp(8, bytes(9_000), compression=RLE4),
        bmp(24, bytes(9_000))[:30],
    ],
)
def test_what_is_broken_is_called_damaged_at_the_door_and_in_the_engine(source: bytes) -> None:
    ((code, _),) = refusals(source)
    assert code is DamagedImageError.code


def test_run_lengths_that_end_too_early_are_damaged() -> None:
    with pytest.raises(DamagedImageError):
        process(bmp(8, b"\3\1\0\0", compression=RLE8, palette=grey(16), size=(4, 2)))


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBA"])
def test_what_pillow_writes_comes_out_as_it_was(mode: str) -> None:
    image = Image.effect_noise((WIDTH, HEIGHT), 90).convert(mode)
    file = io.BytesIO()
    image.save(file, "BMP")
    pixels = decode(process(file.getvalue(), (Convert(format="png"),)).data)
    assert pixels.convert("RGB").tobytes() == image.convert("RGB").tobytes()
