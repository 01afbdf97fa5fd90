"""Mutate sound images and work on what comes of it: ``python fuzzing.py FIRST LAST NOTE``.

Runs in a process of its own, so that a crash of native code is seen. The case being worked on is written to the file
NOTE before it is begun; ``--show CASE`` writes the bytes of one case to standard output.
"""

import io
import random
import sys
import zlib
from functools import cache
from pathlib import Path
from typing import TypeAlias

from darkroom_contracts.formats import Metadata
from darkroom_imaging.engine import process
from darkroom_imaging.errors import ImageError
from darkroom_imaging.limits import Limits
from darkroom_imaging.operations import (
    Adjust,
    Blur,
    Convert,
    Crop,
    Flip,
    Grayscale,
    Operation,
    Pixelate,
    Resize,
    Rotate,
    Sharpen,
    Watermark,
)
from PIL import Image, ImageCms

LIMITS = Limits(max_pixels=1_000_000, max_frames=50)
PIPELINES: tuple[tuple[Operation, ...], ...] = (
    (),
    (Blur(radius=3),),
    (Blur(radius=12),),
    (Resize(width=8),),
    (Resize(width=20, height=20, fit="cover", enlarge=True), Convert(format="gif")),
    (Blur(radius=2, regions=((0.2, 0.2, 0.3, 0.3),)), Convert(format="png")),
    (Pixelate(size=4), Rotate(angle=17), Convert(format="webp")),
    (Crop(width=9, height=9), Sharpen(), Grayscale(), Convert(format="tiff")),
    (Flip(), Adjust(brightness=1.2, saturation=2), Convert(format="jpeg")),
    (Watermark(text="x"), Convert(format="png", keep_profile=True)),
)
Seeds: TypeAlias = tuple[bytes, ...]


def case(number: int) -> tuple[bytes, tuple[Operation, ...]]:
    """The bytes and the pipeline of a case: always the same for the same number."""
    chance = random.Random(number)
    data = bytearray(chance.choice(seeds()))
    for _ in range(chance.choice((1, 1, 1, 2, 4, 16))):
        _mutate(data, chance)
    if data[:4] == b"\x89PNG" and chance.random() < 0.8:
        data = _with_right_checksums(data)
    return bytes(data), chance.choice(PIPELINES)


def _with_right_checksums(png: bytearray) -> bytearray:
    """A PNG whose chunks are taken at their word: else a decoder looks no further than the first wrong checksum."""
    at = 8
    while at + 12 <= len(png):
        end = at + 8 + int.from_bytes(png[at : at + 4], "big")
        png[end : end + 4] = zlib.crc32(png[at + 4 : end]).to_bytes(4, "big")
        at = end + 4
    return png


def _mutate(data: bytearray, chance: random.Random) -> None:
    # Headers are short and decide most, so half of all changes are made to them; few to what tells the format.
    at = chance.randrange(min(len(data), 100) if chance.random() < 0.5 else len(data))
    if chance.random() < 0.9:
        at = min(max(at, 12), len(data) - 1)
    match chance.choice((0, 0, 0, 1, 1, 2, 2, 3, 4, 5, 6)):
        case 0:
            data[at] ^= 1 << chance.randrange(8)
        case 1:
            data[at] = chance.choice((0, 1, 0x7F, 0x80, 0xFF))
        case 2:
            data[at : at + 4] = chance.choice((b"\0\0\0\0", b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\0\0\0\x80"))
        case 3:
            del data[at : at + chance.randrange(1, 40)]
        case 4:
            data[at:at] = chance.randbytes(chance.randrange(1, 40))
        case 5:
            data[at:at] = data[at : at + chance.randrange(1, 200)]
        case _:
            del data[max(at, 12) :]
    data += b"" if data else b"\0"


METADATA = tuple(Metadata)
XMP = b"""<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description xmlns:dc="http://purl.org/dc/elements/1.1/" dc:format="image/png">
<dc:creator><rdf:Seq><rdf:li>Jane</rdf:li></rdf:Seq></dc:creator></rdf:Description></rdf:RDF></x:xmpmeta>"""


@cache
def seeds() -> Seeds:
    """Small sound images of every format and kind."""
    picture = Image.radial_gradient("L").resize((24, 18))
    colours = Image.merge("RGB", (picture, picture.rotate(180), picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT)))
    clear = colours.copy()
    clear.putalpha(picture)
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes().replace(b"s\0R\0G\0B", b"o\0R\0G\0B")
    exif = Image.Exif()
    exif[0x0112], exif[0x010E], exif[0x013B] = 6, "upright", "Jane"
    exif.get_ifd(0x8825)[2] = (51.0, 30.0, 26.0)
    frames: dict[str, object] = {"save_all": True, "append_images": [clear, clear.rotate(90)], "duration": 40}
    return (
        _file(colours, "JPEG", icc_profile=profile, exif=exif, xmp=XMP),
        _file(colours, "JPEG", progressive=True),
        _file(colours.convert("CMYK"), "JPEG"),
        _file(colours, "PNG", icc_profile=profile, exif=exif),
        _file(colours.quantize(9), "PNG", transparency=3),
        _file(Image.new("I;16", (9, 9), 999), "PNG"),
        _file(clear, "PNG", **frames),
        _file(clear, "WEBP", exif=exif, icc_profile=profile, xmp=XMP),
        _file(clear, "WEBP", **frames),
        _file(colours, "WEBP", lossless=True),
        _file(colours, "AVIF", speed=10),
        _file(colours, "GIF", **frames),
        _file(colours, "TIFF", icc_profile=profile, exif=exif, tiffinfo={700: XMP}),
        _file(colours, "TIFF", compression="tiff_lzw"),
        _file(colours, "TIFF", compression="jpeg"),
        _file(picture.convert("1"), "TIFF", compression="group4"),
        _file(clear, "TIFF", compression="tiff_adobe_deflate"),
        _file(colours, "BMP"),
        _file(colours.quantize(9), "BMP"),
    )


def _file(image: Image.Image, form: str, **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, form, **options)
    return file.getvalue()


def work(number: int) -> str:
    """What becomes of a case: ``result``, or the name of the engine's error."""
    source, pipeline = case(number)
    try:
        process(source, pipeline, limits=LIMITS, metadata=METADATA[number % 3])
    except ImageError as error:
        return type(error).__name__
    return "result"


def main(arguments: list[str]) -> None:
    """Work on all cases from FIRST up to LAST, and print how many ended how."""
    if arguments[0] == "--show":
        sys.stdout.buffer.write(case(int(arguments[1]))[0])
        return
    first, last, note = int(arguments[0]), int(arguments[1]), Path(arguments[2])
    ends: dict[str, int] = {}
    for number in range(first, last):
        note.write_text(str(number))
        end = work(number)
        ends[end] = ends.get(end, 0) + 1
    print(*(f"{name}={count}" for name, count in sorted(ends.items())))  # noqa: T201  # this is a program


if __name__ == "__main__":
    main(sys.argv[1:])
