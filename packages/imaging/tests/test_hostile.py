"""Files made to do harm, or broken on their way, end in one of the engine's own errors."""

import io
import struct
import zlib
from importlib.util import find_spec

import pytest
from darkroom_imaging.engine import process
from darkroom_imaging.errors import DamagedImageError, ImageError, ImageTooLargeError, NotAnImageError
from darkroom_imaging.inspection import inspect
from darkroom_imaging.limits import Limits
from darkroom_imaging.operations import Blur, Convert, Operation, Resize
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageFile, PngImagePlugin
from support.pictures import decode, encode, photograph

PIPELINES: tuple[tuple[Operation, ...], ...] = ((), (Resize(width=10),), (Blur(radius=3),), (Convert(format="webp"),))
FORMATS = ("JPEG", "PNG", "WEBP", "AVIF", "GIF", "TIFF", "BMP")


def chunk(name: bytes, body: bytes) -> bytes:
    """A chunk of a PNG with its checksum."""
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def png(width: int, height: int, *, bits: int = 8, colours: int = 2, body: bytes = b"", extra: bytes = b"") -> bytes:
    """A PNG with a right header and whatever else."""
    header = struct.pack(">IIBBBBB", width, height, bits, colours, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + extra
        + chunk(b"IDAT", zlib.compress(body))
        + chunk(b"IEND", b"")
    )


def refused(source: bytes, kind: type[ImageError]) -> str:
    """The sentence with which each pipeline refuses a file."""
    sentences = set()
    for pipeline in PIPELINES:
        with pytest.raises(ImageError) as refusal:
            process(source, pipeline)
        assert type(refusal.value) is kind
        sentences.add(str(refusal.value))
    (sentence,) = sentences
    assert sentence[0].isupper()
    assert sentence.endswith(".")
    return sentence


@pytest.mark.parametrize(
    "source",
    [
        b"hello",
        b"\x00" * 1000,
        b"%PDF-1.7 ...",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"<?php system($_GET['c']); ?>",
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n",
        b"8BPS\x00\x01" + bytes(100),
        b"\x00\x00\x01\x00\x01\x00" + bytes(100),
        b"\x00\x00\x00\x0cjP  \r\n\x87\n" + bytes(100),
        b"P6 9 9 255\n" + bytes(300),
        b"PK\x03\x04" + bytes(100),
        b"MZ" + bytes(100),
        b"RIFF\x00\x00\x00\x00WAVE",
        b"\x00\x00\x00\x18ftypmp42" + bytes(100),
    ],
)
def test_what_is_no_image_of_ours_is_never_opened(source: bytes) -> None:
    assert "Unsupported image format" in refused(source, NotAnImageError)


def test_an_empty_file_is_called_empty() -> None:
    assert refused(b"", DamagedImageError) == "The file is empty."


@pytest.mark.skipif(find_spec("pillow_heif") is not None, reason="the optional decoder of HEIC is installed")
def test_heic_is_named_where_its_decoder_is_not_installed() -> None:
    assert "HEIC" in refused(b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic" + bytes(90), NotAnImageError)


def processed(source: bytes, width: int, height: int) -> None:
    """Take a file that must not be refused through each pipeline, to a result of this size where none resizes it."""
    for pipeline in PIPELINES:
        result = process(source, pipeline)
        assert decode(result.data).size == (result.width, result.height)
        if not any(isinstance(operation, Resize) for operation in pipeline):
            assert (result.width, result.height) == (width, height)


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
def test_a_truncated_image_fails_with_a_sentence(form: str, share: float) -> None:
    source = encode(photograph(), form)
    sentence = refused(source[: int(len(source) * share)], DamagedImageError)
    # Where a TIFF ends is known only once it has been decoded.
    assert ("is damaged or cut off" if form == "TIFF" else "ends too early") in sentence


@pytest.mark.parametrize("form", FORMATS)
def test_an_image_cut_to_any_length_gives_a_result_or_a_sentence(form: str) -> None:
    source = encode(photograph(24, 16), form)
    for length in {*range(40), *range(40, len(source), max(1, len(source) // 60))}:
        with_an_end(source[:length])


@pytest.mark.parametrize("form", FORMATS)
def test_nothing_but_a_signature_is_a_damaged_image(form: str) -> None:
    source = encode(photograph(), form)
    refused(source[:32], DamagedImageError)
    refused(source[:32] + bytes(5000), DamagedImageError)


def test_a_bomb_is_refused_by_its_header() -> None:
    assert "9,000 × 9,000 px; the limit is 50 megapixels" in refused(png(9_000, 9_000), ImageTooLargeError)
    assert "20,000 × 20,000 px; the limit is 50 megapixels" in refused(png(20_000, 20_000), ImageTooLargeError)


@pytest.mark.parametrize(("width", "height"), [(1_000_000, 1), (1, 40_000), (2**31 - 1, 2**31 - 1)])
def test_absurd_sides_are_refused(width: int, height: int) -> None:
    refused(png(width, height), ImageTooLargeError)


@pytest.mark.parametrize(("width", "height"), [(0, 10), (10, 0), (0, 0)])
def test_an_image_of_nothing_is_refused(width: int, height: int) -> None:
    assert "does not say how large the image is" in refused(png(width, height), DamagedImageError)


def test_absurd_sides_in_other_formats_are_refused() -> None:
    gif = bytearray(encode(photograph(), "GIF"))
    gif[6:10] = struct.pack("<HH", 65_535, 65_535)
    bmp = bytearray(encode(photograph(), "BMP"))
    bmp[18:26] = struct.pack("<ii", 2**30, 2**30)
    jpeg = bytearray(encode(photograph()))
    at = jpeg.index(b"\xff\xc0")
    jpeg[at + 5 : at + 9] = struct.pack(">HH", 65_535, 65_535)
    tiff = bytearray(encode(photograph(), "TIFF"))
    at = tiff.index(struct.pack("<HHI", 256, 4, 1)) + 8
    tiff[at : at + 4] = struct.pack("<I", 10**6)
    webp = b"RIFF\x1e\x00\x00\x00WEBPVP8X\x0a\x00\x00\x00" + bytes(4) + b"\xff\xff\xff" * 2 + b"VP8 \x00\x00\x00\x00"
    for source in (gif, bmp, jpeg, webp, tiff):
        refused(bytes(source), ImageTooLargeError)


def test_a_file_beyond_the_limit_is_refused_unopened() -> None:
    sentence = "The file is too large: 30 MB; the limit is 26.2 MB."
    assert refused(b"\xff\xd8\xff" + bytes(29_999_997), ImageTooLargeError) == sentence


def test_text_that_unpacks_to_gigabytes_is_passed_over() -> None:
    bomb = chunk(b"zTXt", b"Comment\x00\x00" + zlib.compress(bytes(200_000_000)))
    processed(png(4, 4, body=bytes(4 * 13), extra=bomb), 4, 4)


def test_a_profile_that_unpacks_to_gigabytes_is_passed_over() -> None:
    bomb = chunk(b"iCCP", b"icc\x00\x00" + zlib.compress(bytes(200_000_000)))
    processed(png(4, 4, body=bytes(4 * 13), extra=bomb), 4, 4)


def test_pixels_that_unpack_to_more_than_the_image_are_passed_over() -> None:
    processed(png(4, 4, body=bytes(200_000_000)), 4, 4)


def test_a_png_that_announces_a_billion_frames_is_no_animation_of_a_billion() -> None:
    for frames in (2, 2**31 - 1, 2**32 - 1):
        processed(png(4, 4, body=bytes(4 * 13), extra=chunk(b"acTL", struct.pack(">II", frames, 0))), 4, 4)


def test_a_gif_of_very_many_tiny_frames_is_stopped_at_the_limit() -> None:
    frame = (
        b"\x21\xf9\x04\x00\x00\x00\x00\x00" + b"\x2c" + struct.pack("<HHHH", 0, 0, 1, 1) + b"\x00\x02\x02\x44\x01\x00"
    )
    source = b"GIF89a" + struct.pack("<HH", 1, 1) + b"\x80\x00\x00" + bytes(6) + frame * 300_000 + b"\x3b"
    with pytest.raises(ImageTooLargeError, match="more than 1,000 frames"):
        process(source)


def test_a_gif_whose_frame_is_larger_than_its_screen_counts_by_its_frame() -> None:
    frame = b"\x2c" + struct.pack("<HHHH", 0, 0, 60_000, 60_000) + b"\x00\x02\x02\x44\x01\x00"
    source = b"GIF89a" + struct.pack("<HH", 1, 1) + b"\x80\x00\x00" + bytes(6) + frame + frame + b"\x3b"
    refused(source, ImageTooLargeError)


@pytest.mark.parametrize(
    "exif", [b"Exif\x00\x00", b"Exif\x00\x00II*\x00\xff\xff\xff\xff", b"Exif\x00\x00" + b"\xff" * 999, b"x"]
)
@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP"])
def test_a_broken_exif_is_passed_over(exif: bytes, form: str) -> None:
    result = process(encode(photograph(64, 48), form, exif=exif))
    assert (result.width, result.height) == (64, 48)


@pytest.mark.parametrize("orientation", [0, 9, 65_535])
def test_an_orientation_that_does_not_exist_is_upright(orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    assert process(encode(photograph(64, 48), exif=exif)).width == 64


def test_a_tiff_whose_directories_go_in_circles_is_its_first_page() -> None:
    tiff = bytearray(encode(photograph(16, 16), "TIFF"))
    at = struct.unpack("<I", tiff[4:8])[0]
    entries = struct.unpack("<H", tiff[at : at + 2])[0]
    tiff[at + 2 + 12 * entries : at + 6 + 12 * entries] = struct.pack("<I", at)
    processed(bytes(tiff), 16, 16)


def test_what_follows_an_image_does_not_reach_the_result() -> None:
    for form in FORMATS:
        result = process(encode(photograph(64, 48), form) + b"PK\x03\x04<?php evil(); ?>")
        assert b"evil" not in result.data


def test_a_polyglot_is_what_its_first_bytes_say() -> None:
    gif = encode(photograph(64, 48), "GIF")
    script = gif[:6] + b"/*" + gif[8:] + b"*/=1;alert(1)"
    processed(script, struct.unpack("<H", b"/*")[0], 48)
    both = encode(photograph(64, 48)) + encode(photograph(80, 60), "PNG")
    assert decode(process(both).data).size == (64, 48)


def test_pillows_own_settings_are_left_alone() -> None:
    def current() -> tuple[int | None, int, bool]:
        return Image.MAX_IMAGE_PIXELS, PngImagePlugin.MAX_TEXT_CHUNK, ImageFile.LOAD_TRUNCATED_IMAGES

    before = current()
    for source in (b"", png(20_000, 20_000), encode(photograph(), "PNG")):
        with_an_end(source)
    assert current() == before


def test_a_limit_beyond_pillows_own_is_refused_when_it_is_set() -> None:
    with pytest.raises(ValueError, match="Pillow's own limit"):
        Limits(max_pixels=10**9)


@settings(max_examples=150, deadline=None)
@given(
    signature=st.sampled_from(
        [
            b"",
            b"\xff\xd8\xff",
            b"\x89PNG\r\n\x1a\n",
            b"GIF89a",
            b"II*\0",
            b"MM\0*",
            b"BM",
            b"RIFF\0\0\0\0WEBP",
            b"\0\0\0\x20ftypavif",
        ]
    ),
    noise=st.binary(max_size=400),
)
def test_noise_after_any_signature_gives_a_sentence(signature: bytes, noise: bytes) -> None:
    with_an_end(signature + noise)


@settings(max_examples=100, deadline=None)
@given(
    width=st.integers(1, 60),
    height=st.integers(1, 60),
    form=st.sampled_from(FORMATS),
    mode=st.sampled_from(["1", "L", "P", "RGB", "RGBA", "CMYK", "LA"]),
    operations=st.lists(
        st.one_of(
            st.builds(Blur, radius=st.floats(0.1, 250)),
            st.builds(
                Resize,
                width=st.integers(1, 90),
                fit=st.sampled_from(["inside", "cover", "fill"]),
                enlarge=st.booleans(),
            ),
            st.builds(Convert, format=st.sampled_from(["jpeg", "png", "webp", "gif", "tiff"])),
        ),
        max_size=4,
    ),
)
def test_any_sound_image_goes_through_any_pipeline(
    width: int, height: int, form: str, mode: str, operations: list[Operation]
) -> None:
    file = io.BytesIO()
    try:
        photograph(width, height).convert("RGB").convert(mode).save(file, form)
    except (OSError, ValueError):
        return  # not every format holds every mode
    result = process(file.getvalue(), operations)
    assert decode(result.data).size == (result.width, result.height)


def with_an_end(source: bytes) -> None:
    """Each pipeline ends with a result that can be opened, or with one of the engine's errors."""
    for pipeline in PIPELINES:
        try:
            result = process(source, pipeline)
        except ImageError as error:
            assert str(error).endswith(".")  # noqa: PT017  # a result is as good
        else:
            assert decode(result.data).size == (result.width, result.height)


def both_gates(source: bytes) -> list[type | None]:
    """How the look at a file and the engine refuse it; nothing where they take it."""
    ends: list[type | None] = []
    for gate in (lambda: inspect(io.BytesIO(source), Limits()), lambda: process(source)):
        try:
            gate()
            ends.append(None)
        except ImageError as error:
            ends.append(type(error))
    return ends


@pytest.mark.parametrize("screen", [(0, 0), (0, 18), (24, 0)])
def test_a_gif_without_a_screen_is_as_large_as_its_first_frame(screen: tuple[int, int]) -> None:
    gif = encode(photograph(24, 18), "GIF")
    source = gif[:6] + struct.pack("<HH", *screen) + gif[10:]
    header = inspect(io.BytesIO(source), Limits())
    assert (header.width, header.height) == decode(process(source).data).size == (24, 18)


@pytest.mark.parametrize("junk", [b"\0", b"junk", b"\0" * 200, b"\xff\0ab", b"\xff\xff\xff"])
def test_a_jpeg_with_junk_before_its_first_segment_is_read(junk: bytes) -> None:
    jpeg = encode(photograph(24, 18))
    source = jpeg[:2] + junk + jpeg[2:]
    assert both_gates(source) == [None, None]
    assert decode(process(source).data).size == (24, 18)


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("at", range(0, 60, 3))
def test_what_the_look_refuses_the_engine_refuses_for_the_same_reason(form: str, at: int) -> None:
    source = bytearray(encode(photograph(24, 18), form))
    for byte in (0x00, 0x7F, 0xFF):
        source[at] = byte
        seen, worked = both_gates(bytes(source))
        assert seen is None or worked is seen


@pytest.mark.parametrize("form", FORMATS)
def test_the_look_refuses_a_file_without_its_signature(form: str) -> None:
    source = encode(photograph(24, 18), form)
    assert both_gates(bytes(12) + source[12:]) == [NotAnImageError, NotAnImageError]
