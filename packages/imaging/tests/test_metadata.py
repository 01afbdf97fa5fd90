"""Metadata that is dropped anyway is no reason to refuse an image, and only EXIF turns it."""

import io
import struct
import zlib

import pytest
from darkroom_imaging.engine import Result, process
from darkroom_imaging.inspection import inspect
from darkroom_imaging.limits import Limits
from darkroom_imaging.operations import Convert
from PIL import Image, ImageCms
from PIL.PngImagePlugin import PngInfo
from support.pictures import decode, encode, photograph, pixels, psnr

AS_PNG = Convert(format="png")
LARGE = 3_000_000
"""Bytes: more than decoders take of metadata."""


def taken(source: bytes) -> Result:
    """The result of an image that passes both gates."""
    inspect(io.BytesIO(source), Limits())
    return process(source, (AS_PNG,))


def chunk(kind: bytes, body: bytes, *, checksum: int | None = None) -> bytes:
    right = zlib.crc32(kind + body)
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", right if checksum is None else checksum)


def png_with(*chunks: bytes) -> bytes:
    plain = encode(photograph(64, 48), "PNG")
    return plain[:33] + b"".join(chunks) + plain[33:]


def noise(count: int) -> bytes:
    return bytes(index * 2654435761 >> 16 & 0xFF for index in range(count))


PNG_METADATA = {
    "text with a wrong checksum": chunk(b"tEXt", b"Author\0me", checksum=1),
    "time with a wrong checksum": chunk(b"tIME", bytes(7), checksum=1),
    "a profile with a wrong checksum": chunk(b"iCCP", b"x\0\0" + zlib.compress(b"x"), checksum=1),
    "opacity with a wrong checksum": chunk(b"tRNS", bytes(6), checksum=1),
    "EXIF with a wrong checksum": chunk(b"eXIf", b"II*\0", checksum=1),
    "a profile that is not compressed": chunk(b"iCCP", b"x\0\0nothing"),
    "a profile without anything": chunk(b"iCCP", b""),
    "a profile over the limit": chunk(b"iCCP", b"x\0\0" + zlib.compress(bytes(LARGE * 3))),
    "a large broken profile": chunk(b"iCCP", b"x\0\0" + zlib.compress(noise(LARGE))),
    "large text": chunk(b"zTXt", b"Comment\0\0" + zlib.compress(bytes(LARGE))),
    "large text that does not compress": chunk(b"tEXt", b"Comment\0" + bytes(LARGE)),
    "large international text": chunk(b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + zlib.compress(bytes(LARGE))),
    "broken compressed text": chunk(b"zTXt", b"Comment\0\0broken"),
    "physical sizes of the wrong length": chunk(b"pHYs", b"\0"),
    "gamma of the wrong length": chunk(b"gAMA", b""),
    "a rendering intent of the wrong length": chunk(b"sRGB", b""),
    "chromaticities of the wrong length": chunk(b"cHRM", b"\0\0"),
}


@pytest.mark.parametrize("name", PNG_METADATA)
def test_a_png_is_taken_whatever_its_metadata(name: str) -> None:
    result = decode(taken(png_with(PNG_METADATA[name])).data)
    assert (pixels(result) == pixels(photograph(64, 48))).all()
    assert result.mode == "RGB"


def test_a_large_profile_of_a_png_is_converted_from() -> None:
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    table = srgb[132 : 132 + 12 * int.from_bytes(srgb[128:132], "big")]
    swapped = srgb.replace(table, table.replace(b"rXYZ", b"?XYZ").replace(b"gXYZ", b"rXYZ").replace(b"?XYZ", b"gXYZ"))
    large = struct.pack(">I", LARGE) + swapped[4:].ljust(LARGE - 4, b"\0")
    result = taken(png_with(chunk(b"iCCP", b"x\0\0" + zlib.compress(large))))
    red, green, blue = photograph(64, 48).split()
    assert psnr(pixels(decode(result.data)), pixels(Image.merge("RGB", (green, red, blue)))) > 45


def segment(marker: int, body: bytes) -> bytes:
    return bytes([0xFF, marker]) + struct.pack(">H", len(body) + 2) + body


JPEG_METADATA = {
    "a short JFIF header": segment(0xE0, b"JFIF"),
    "a short header of Adobe's": segment(0xEE, b"Adobe"),
    "a broken EXIF": segment(0xE1, b"Exif\0\0" + b"\xff" * 500),
    "an XMP that is none": segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + b"<" * 60_000),
    "very much XMP": segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + bytes(65_000)) * 100,
    "a profile of which parts are missing": segment(0xE2, b"ICC_PROFILE\0\2\3" + bytes(100)),
    "a profile without a number": segment(0xE2, b"ICC_PROFILE\0"),
    "a broken list of pictures": segment(0xE2, b"MPF\0" + b"\xff" * 100),
    "a broken Photoshop block": segment(0xED, b"Photoshop 3.0\0" + b"8BIM\x03\xed\0\0\xff\xff\xff\xff"),
    "unknown segments": b"".join(segment(marker, b"\xff" * 99) for marker in (*range(0xE3, 0xEE), 0xEF, 0xFE)),
    "fill bytes": b"\xff" * 1_000_000,
}


@pytest.mark.parametrize("name", JPEG_METADATA)
def test_a_jpeg_is_taken_whatever_its_metadata(name: str) -> None:
    plain = encode(photograph(64, 48))
    result = decode(taken(plain[:2] + JPEG_METADATA[name] + plain[2:]).data)
    assert (pixels(result) == pixels(decode(plain))).all()


def riff(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack("<I", len(body)) + body + bytes(len(body) % 2)


def webp_with(flags: int, before: bytes, after: bytes) -> bytes:
    plain = encode(photograph(64, 48), "WEBP", lossless=True)
    body = riff(b"VP8X", bytes([flags, 0, 0, 0, 63, 0, 0, 47, 0, 0])) + before + plain[12:] + after
    return b"RIFF" + struct.pack("<I", len(body) + 4) + b"WEBP" + body


@pytest.mark.parametrize(
    ("flags", "before", "after"),
    [
        (0x08, b"", riff(b"EXIF", b"\xff" * 99)),
        (0x04, b"", riff(b"XMP ", b"<" * LARGE)),
        (0x0C, b"", riff(b"EXIF", b"") + riff(b"XMP ", b"")),
        (0x20, riff(b"ICCP", b"broken"), b""),
        (0x00, riff(b"what", b"x" * 999), riff(b"ever", b"y" * 999)),
        (0x00, b"", b"XMP \xff\xff\xff\x7fcut off"),
    ],
)
def test_a_webp_is_taken_whatever_its_metadata(flags: int, before: bytes, after: bytes) -> None:
    result = decode(taken(webp_with(flags, before, after)).data)
    assert (pixels(result) == pixels(photograph(64, 48))).all()


def exif(orientation: int) -> bytes:
    tags = Image.Exif()
    tags[0x0112] = orientation
    return tags.tobytes()


XMP = b'<x:xmpmeta xmlns:tiff="http://ns.adobe.com/tiff/1.0/"><a tiff:Orientation="6"/></x:xmpmeta>'


def with_xmp(form: str, orientation: int | None = None) -> bytes:
    """A file whose XMP says 6, and whose EXIF says what is given."""
    options: dict[str, object] = {"xmp": XMP}
    if form == "TIFF":
        options = {"tiffinfo": {700: XMP} | ({} if orientation is None else {0x0112: orientation})}
    if form == "PNG":
        options["pnginfo"] = text = PngInfo()
        text.add_itxt("XML:com.adobe.xmp", XMP.decode())
    if form == "WEBP":
        options["lossless"] = True
    if orientation is not None and form != "TIFF":
        options["exif"] = exif(orientation)
    source = encode(photograph(64, 48), form, **options)
    assert XMP in source
    return source


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "AVIF", "TIFF"])
def test_xmp_never_turns_an_image(form: str) -> None:
    result = taken(with_xmp(form))
    assert (result.width, result.height) == (64, 48)


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "AVIF", "TIFF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_turns_every_format_whatever_xmp_says(form: str, orientation: int) -> None:
    turns = {2: 0, 3: 3, 4: 1, 5: 5, 6: 4, 7: 6, 8: 2}
    expected = photograph(64, 48)
    if orientation in turns:
        expected = expected.transpose(Image.Transpose(turns[orientation]))
    result = decode(taken(with_xmp(form, orientation)).data)
    assert psnr(pixels(result), pixels(expected)) > (22 if form in ("JPEG", "AVIF") else 90)


def test_exif_behind_the_pixels_of_a_png_turns_it_too() -> None:
    plain = encode(photograph(64, 48), "PNG")
    assert taken(plain[:-12] + chunk(b"eXIf", exif(6)[6:]) + plain[-12:]).width == 48
