"""Levels of every depth come out as the eight bits nearest to them, in every format that has them."""

import struct
import zlib
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from darkroom_imaging.engine import process
from darkroom_imaging.errors import DamagedImageError, NotAnImageError
from darkroom_imaging.operations import Convert
from numpy.typing import NDArray
from support.pictures import decode

AS_PNG = Convert(format="png")
WIDTH, HEIGHT = 37, 29


def result(source: bytes) -> NDArray[np.uint8]:
    return np.asarray(decode(process(source, (AS_PNG,)).data))


def levels(channels: int, most: int = 65_535, seed: int = 1) -> NDArray[np.uint32]:
    pixels = np.random.default_rng(seed).integers(0, most + 1, (HEIGHT, WIDTH, channels), dtype=np.uint32)
    pixels[0, 0] = 2_559 * most // 65_535
    return pixels


def rounded(pixels: NDArray[Any], most: float = 65_535) -> NDArray[np.uint8]:
    eight: NDArray[np.uint8] = np.rint(pixels.astype(np.float64) * 255 / most).astype(np.uint8)
    return eight


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(kind: int, depth: int, rows: Sequence[bytes], *, transparent: bytes | None = None) -> bytes:
    header = struct.pack(">IIBBBBB", WIDTH, HEIGHT, depth, kind, 0, 0, 0)
    body = zlib.compress(b"".join(b"\0" + row for row in rows))
    extra = b"" if transparent is None else chunk(b"tRNS", transparent)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + extra + chunk(b"IDAT", body) + chunk(b"IEND", b"")


@pytest.mark.parametrize(("kind", "channels"), [(0, 1), (2, 3), (4, 2), (6, 4)])
def test_a_png_of_sixteen_bits_is_rounded(kind: int, channels: int) -> None:
    pixels = levels(channels)
    eight = rounded(pixels)
    if channels < 3:
        eight = eight[..., 0] if channels == 1 else eight[..., [0, 0, 0, 1]]
    assert (result(png(kind, 16, [row.astype(">u2").tobytes() for row in pixels])) == eight).all()


def test_2559_of_65535_is_ten() -> None:
    assert rounded(np.array(2_559)) == 10


def test_a_transparent_colour_of_sixteen_bits_is_that_one_and_none_near_it() -> None:
    pixels = levels(3)
    pixels[3, 4] = pixels[3, 5] = (1_000, 2_000, 3_000)
    pixels[3, 6] = (1_001, 2_000, 3_000)
    rows = [row.astype(">u2").tobytes() for row in pixels]
    opacity = result(png(2, 16, rows, transparent=struct.pack(">HHH", 1_000, 2_000, 3_000)))[..., 3]
    assert sorted(zip(*np.where(opacity == 0), strict=True)) == [(3, 4), (3, 5)]


@pytest.mark.parametrize("depth", [1, 2, 4, 8, 16])
def test_a_transparent_grey_of_any_depth_is_that_one(depth: int) -> None:
    most = 2**depth - 1
    pixels = levels(1, most)[..., 0]
    bits = (pixels[..., None] >> np.arange(depth - 1, -1, -1)) & 1
    rows = [np.packbits(row.reshape(-1).astype(np.uint8)).tobytes() for row in bits]
    for transparent in {0, 1, most // 2, most}:
        pixels_out = result(png(0, depth, rows, transparent=struct.pack(">H", transparent)))
        assert ((pixels_out[..., 3] == 0) == (pixels == transparent)).all()
        assert (pixels_out[..., 0] == rounded(pixels, most)).all()


def tiff(
    pixels: NDArray[Any],
    photometric: int,
    *,
    order: str = "<",
    extra: int | None = None,
    compressed: bool = False,
    predictor: int = 1,
    tile: int | None = None,
    separate: bool = False,
    orientation: int = 1,
    more: Sequence[tuple[int, int]] = (),
) -> bytes:
    """A TIFF with these levels as they are."""
    height, width, samples = pixels.shape
    sample_format = {"u": 1, "i": 2, "f": 3}[pixels.dtype.kind]
    if tile:
        padded = np.pad(pixels, ((0, -height % tile), (0, -width % tile), (0, 0)))
        parts = [
            padded[top : top + tile, left : left + tile]
            for top in range(0, padded.shape[0], tile)
            for left in range(0, padded.shape[1], tile)
        ]
    else:
        parts = [pixels[top : top + 10] for top in range(0, height, 10)]
    if separate:
        parts = [part[..., plane : plane + 1] for plane in range(samples) for part in parts]
    packed = [_packed(part, order, predictor) for part in parts]
    if compressed:
        packed = [zlib.compress(part) for part in packed]
    offsets, counts, body = [], [], b""
    for part in packed:
        offsets.append(8 + len(body))
        counts.append(len(part))
        body += part + bytes(len(part) % 2)
    tags: dict[int, tuple[str, Sequence[int]]] = {
        256: ("I", [width]),
        257: ("I", [height]),
        258: ("H", [pixels.dtype.itemsize * 8] * samples),
        259: ("H", [8 if compressed else 1]),
        262: ("H", [photometric]),
        274: ("H", [orientation]),
        277: ("H", [samples]),
        284: ("H", [2 if separate else 1]),
        317: ("H", [predictor]),
        339: ("H", [sample_format] * samples),
    }
    tags |= {338: ("H", [extra])} if extra is not None else {}
    if tile:
        tags |= {322: ("I", [tile]), 323: ("I", [tile]), 324: ("I", offsets), 325: ("I", counts)}
    else:
        tags |= {273: ("I", offsets), 278: ("I", [10]), 279: ("I", counts)}
    tags |= {tag: ("H", [value]) for tag, value in more}
    return _file(tags, body, order)


def _packed(part: NDArray[Any], order: str, predictor: int) -> bytes:
    size = part.dtype.itemsize
    if predictor == 2:
        whole = part.view(f"u{size}")
        part = np.concatenate([whole[:, :1], whole[:, 1:] - whole[:, :-1]], axis=1)
    if predictor == 3:
        height, width, samples = part.shape
        planes = part.astype(part.dtype.newbyteorder(">")).tobytes()
        significance = np.frombuffer(planes, np.uint8).reshape(height, width * samples, size).swapaxes(1, 2)
        flat = significance.reshape(height, -1, samples)
        return np.concatenate([flat[:, :1], flat[:, 1:] - flat[:, :-1]], axis=1).tobytes()
    return part.astype(part.dtype.newbyteorder(order)).tobytes()  # type: ignore[arg-type]


def _file(tags: dict[int, tuple[str, Sequence[int]]], body: bytes, order: str) -> bytes:
    start = 8 + len(body)
    behind, entries, more = start + 2 + 12 * len(tags) + 4, b"", b""
    for tag, (form, values) in sorted(tags.items()):
        data = struct.pack(f"{order}{len(values)}{form}", *values)
        place = data.ljust(4, b"\0")
        if len(data) > 4:
            place = struct.pack(f"{order}I", behind + len(more))
            more += data
        entries += struct.pack(f"{order}HHI", tag, {"H": 3, "I": 4}[form], len(values)) + place
    magic = b"II*\0" if order == "<" else b"MM\0*"
    head = magic + struct.pack(f"{order}I", start)
    return head + body + struct.pack(f"{order}H", len(tags)) + entries + bytes(4) + more


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(("photometric", "samples"), [(0, 1), (1, 1), (2, 3)])
@pytest.mark.parametrize("depth", [8, 16, 32])
@pytest.mark.parametrize("shape", [{}, {"compressed": True, "predictor": 2}, {"tile": 16}, {"separate": True}])
def test_a_tiff_of_any_depth_is_rounded(
    order: str, photometric: int, samples: int, depth: int, shape: dict[str, Any]
) -> None:
    most = 255 if depth == 8 else 65_535
    pixels = levels(samples, most).astype(f"u{depth // 8}")
    expected = rounded(pixels, most)
    if photometric == 0:
        expected = 255 - expected
    source = tiff(pixels, photometric, order=order, **shape)
    assert (result(source) == (expected[..., 0] if samples == 1 else expected)).all()


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("size", [2, 4, 8])
@pytest.mark.parametrize("samples", [1, 3, 4])
@pytest.mark.parametrize("shape", [{}, {"compressed": True}, {"compressed": True, "predictor": 3}, {"tile": 16}])
def test_a_tiff_of_floating_point_goes_from_nought_to_one(
    order: str, size: int, samples: int, shape: dict[str, Any]
) -> None:
    pixels = (levels(samples) / 65_535).astype(f"f{size}")
    pixels[1, :3] = np.array([np.nan, np.inf, -np.inf])[:, None]
    extra = 2 if samples == 4 else None
    out = result(tiff(pixels, 1 if samples == 1 else 2, order=order, extra=extra, **shape)).reshape(pixels.shape)
    assert np.abs(out[2:] - pixels[2:].astype(np.float64) * 255).max() <= 0.51
    assert out[1, :3, 0].tolist() == [0, 255, 0]


@pytest.mark.parametrize("depth", [8, 16])
@pytest.mark.parametrize("photometric", [0, 1])
@pytest.mark.parametrize("shape", [{}, {"separate": True}, {"compressed": True, "predictor": 2}])
def test_grey_with_opacity_in_a_tiff(depth: int, photometric: int, shape: dict[str, Any]) -> None:
    most = 2**depth - 1
    pixels = levels(2, most).astype(f"u{depth // 8}")
    out = result(tiff(pixels, photometric, extra=2, **shape))
    expected = rounded(pixels, most)
    grey = 255 - expected[..., 0] if photometric == 0 else expected[..., 0]
    assert (out[..., 0] == grey).all()
    assert (out[..., 3] == expected[..., 1]).all()


@pytest.mark.parametrize("depth", [8, 16])
@pytest.mark.parametrize("samples", [2, 4])
def test_associated_opacity_is_divided_out(depth: int, samples: int) -> None:
    most = 2**depth - 1
    straight = levels(samples, most).astype(np.float64)
    straight[..., -1] = most * 0.8
    multiplied = straight.copy()
    multiplied[..., :-1] *= 0.8
    out = result(tiff(np.rint(multiplied).astype(f"u{depth // 8}"), 1 if samples == 2 else 2, extra=1)).astype(int)
    assert np.abs(out[..., :3] - straight[..., : samples - 1] * 255 / most).max() <= 1.5
    assert (out[..., 3] == 204).all()


@pytest.mark.parametrize("depth", [8, 16])
@pytest.mark.parametrize("extra", [None, 0, 2])
def test_cmyk_in_a_tiff_with_and_without_opacity(depth: int, extra: int | None) -> None:
    most = 2**depth - 1
    pixels = np.zeros((HEIGHT, WIDTH, 4 if extra is None else 5), f"u{depth // 8}")
    pixels[..., 1:3] = most
    if extra is not None:
        pixels[..., 4] = most // 4
    out = result(tiff(pixels, 5, extra=extra))
    assert out[5, 5, 0] > 240
    assert out[5, 5, 1:3].max() < 15
    assert out.shape[2] == (4 if extra == 2 else 3)
    if extra == 2:
        assert (out[..., 3] == rounded(np.array(most // 4), most)).all()


@pytest.mark.parametrize("orientation", range(1, 9))
def test_deep_tiffs_are_turned_upright_like_all_others(orientation: int) -> None:
    deep = levels(3, 255).astype("u2") * 257
    shallow = (deep // 257).astype("u1")
    sources = [tiff(pixels, 2, orientation=orientation) for pixels in (deep, shallow)]
    assert (result(sources[0]) == result(sources[1])).all()


def test_twelve_bits_are_levels_of_twelve() -> None:
    pixels = levels(1, 4_095)[..., 0]
    rows = []
    for row in pixels:
        bits = (row[:, None] >> np.arange(11, -1, -1)) & 1
        rows.append(np.packbits(bits.reshape(-1).astype(np.uint8)).tobytes())
    packed = np.frombuffer(b"".join(rows), np.uint8).reshape(HEIGHT, -1, 1)
    source = tiff(packed, 1, more=[(256, WIDTH), (258, 12)])
    assert (result(source) == rounded(pixels, 4_095)).all()


def test_what_is_not_supported_is_called_so_and_what_is_broken_broken() -> None:
    sound = tiff(levels(3, 255).astype("u1"), 2)
    with pytest.raises(NotAnImageError, match=r"^This kind of TIFF is not supported: compression 50001, "):
        process(tiff(levels(3, 255).astype("u1"), 2, more=[(259, 50_001)]))
    with pytest.raises(NotAnImageError, match="photometric interpretation 32844"):
        process(tiff(levels(3).astype("u2"), 2, more=[(262, 32_844)]))
    with pytest.raises(DamagedImageError):
        process(sound[:200] + sound[-300:])
    deep = tiff(levels(3).astype("u2"), 2, compressed=True)
    with pytest.raises(DamagedImageError):
        process(deep.replace(deep[8:40], bytes(32)))
