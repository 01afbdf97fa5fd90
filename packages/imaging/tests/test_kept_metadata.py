"""A result keeps of the metadata what was asked for, and never a trace of the picture as it was.

EXIF is read back by libexif, through libvips; of a TIFF, which libvips does not read it from, by Pillow.
"""

import base64
import re
import struct
import zlib
from fractions import Fraction
from typing import Any, get_args

import pytest
import pyvips
from darkroom_contracts.formats import Metadata
from darkroom_imaging.engine import Result, process, process_outputs
from darkroom_imaging.operations import Blur, Convert, Resize
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from support.pictures import decode, encode, photograph, pixels

ARTIST, COPYRIGHT, MAKE, CAMERA, PLACE = 0x013B, 0x8298, 0x010F, 0x8769, 0x8825
JANE, NOTICE = "Zoë Ångström; Jane", "© 2026 Zoë Ångström"
FORMATS = tuple(get_args(Convert.model_fields["format"].annotation))
CARRYING = ("jpeg", "png", "webp", "avif", "tiff")
GPS_XMP = "exif:GPSLatitude"
JPEG = b"\xff\xd8\xff"

XMP = f"""<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:exif="http://ns.adobe.com/exif/1.0/"
 xmlns:tiff="http://ns.adobe.com/tiff/1.0/" xmlns:xmpRights="http://ns.adobe.com/xap/1.0/rights/"
 xmlns:cc="http://creativecommons.org/ns#" xmlns:plus="http://ns.useplus.org/ldf/xmp/1.0/" xmlns:own="urn:own"
 tiff:Orientation="6" {GPS_XMP}="51,30.0N" xmpRights:WebStatement="https://example.org/terms?a=1&amp;b=2"
 own:note="mine">
<dc:creator><rdf:Seq><rdf:li>Zoë &amp; Co.</rdf:li><rdf:li>Jane</rdf:li></rdf:Seq></dc:creator>
<dc:rights><rdf:Alt><rdf:li xml:lang="x-default">© Zoë</rdf:li>
<rdf:li xml:lang="de">Alle Rechte</rdf:li></rdf:Alt></dc:rights>
<dc:description><rdf:Alt><rdf:li xml:lang="x-default">The sea</rdf:li></rdf:Alt></dc:description>
<xmpRights:UsageTerms><rdf:Alt><rdf:li xml:lang="x-default">Ask me.</rdf:li></rdf:Alt></xmpRights:UsageTerms>
<cc:license rdf:resource="https://creativecommons.org/licenses/by/4.0/"/>
<plus:Licensor><rdf:Seq><rdf:li rdf:parseType="Resource"><plus:LicensorURL>https://example.org/buy</plus:LicensorURL>
</rdf:li></rdf:Seq></plus:Licensor>
</rdf:Description></rdf:RDF></x:xmpmeta>""".encode()


def tiff_bytes(order: str, entries: list[tuple[int, int, int, bytes]], *, after: bytes = b"", at: int = 8) -> bytes:
    """A directory of entries (tag, type, count, value), and what stands behind it."""
    body, values, first = b"", b"", at + 2 + 12 * len(entries) + 4
    for tag, kind, count, value in entries:
        inline = value.ljust(4, b"\0")
        if len(value) > 4:
            inline = struct.pack(f"{order}I", first + len(values))
            values += value
        body += struct.pack(f"{order}HHI", tag, kind, count) + inline
    return struct.pack(f"{order}H", len(entries)) + body + bytes(4) + values + after


def header(order: str) -> bytes:
    return (b"II" if order == "<" else b"MM") + struct.pack(f"{order}HI", 42, 8)


def text_entry(tag: int, text: str) -> tuple[int, int, int, bytes]:
    data = text.encode() + b"\0"
    return tag, 2, len(data), data


def exif_of(order: str = "<") -> bytes:
    """Camera, author, copyright, place, orientation 6, notes of the maker and a thumbnail."""

    def number(value: int) -> bytes:
        return struct.pack(f"{order}I", value)

    def directory(camera: int, place: int, thumbnail: int) -> bytes:
        image = [
            text_entry(MAKE, "Darkroom cameras"),
            (0x0112, 3, 1, struct.pack(f"{order}H", 6)),
            text_entry(ARTIST, JANE),
            text_entry(COPYRIGHT, NOTICE),
            (CAMERA, 4, 1, number(camera)),
            (PLACE, 4, 1, number(place)),
        ]
        made = tiff_bytes(order, image)
        end = 2 + 12 * len(image)
        return made[:end] + number(thumbnail) + made[end + 4 :]

    small = encode(photograph(32, 24))
    camera_at = 8 + len(directory(0, 0, 0))
    camera = tiff_bytes(
        order,
        [
            (0x829A, 5, 1, number(1) + number(125)),
            (0x8827, 3, 1, struct.pack(f"{order}H", 400)),
            (0x927C, 7, len(small), small),
            (0xA002, 4, 1, number(9999)),
            (0xC6F9, 1, len(small), small),
        ],
        at=camera_at,
    )
    place_at = camera_at + len(camera)
    degrees = b"".join(number(part) for part in (51, 1, 30, 1, 2599, 100))
    place = tiff_bytes(order, [(1, 2, 2, b"N\0"), (2, 5, 3, degrees)], at=place_at)
    thumbnail_at = place_at + len(place)
    pointers = [(0x0201, 4, 1, number(thumbnail_at + 30)), (0x0202, 4, 1, number(len(small)))]
    thumbnail = tiff_bytes(order, pointers, after=small)
    return header(order) + directory(camera_at, place_at, thumbnail_at) + camera + place + thumbnail


def source(form: str, *, exif: bytes = b"", xmp: bytes = b"") -> bytes:
    """A file with this metadata, as other programs write it."""
    picture = photograph(64, 48)
    options: dict[str, Any] = {"xmp": xmp} if xmp else {}
    if form == "PNG" and xmp:
        text = PngInfo()
        text.add_itxt("XML:com.adobe.xmp", xmp.decode())
        options = {"pnginfo": text}
    if form == "TIFF":
        return tiff_with(exif, xmp)
    if form == "AVIF":
        exif = exif.replace(b"\x12\x01\x03\0", b"\x13\x01\x03\0")  # else Pillow writes it anew, and in ASCII
    if exif:
        options["exif"] = b"Exif\0\0" + exif if form == "JPEG" else exif
    return encode(picture, form, **options)


def tiff_with(exif: bytes, xmp: bytes) -> bytes:
    tags = Image.Exif()
    if exif:
        tags.load(b"Exif\0\0" + exif)
    info: dict[int, Any] = {700: xmp} if xmp else {}
    info |= {tag: value for tag, value in tags.items() if tag in (MAKE, 0x0112)}
    info |= {ARTIST: JANE.encode(), COPYRIGHT: NOTICE.encode()} if exif else {}
    if exif:
        info |= {CAMERA: {0x829A: 1 / 125, 0x8827: 400}, PLACE: {1: "N", 2: (51.0, 30.0, 25.99)}}
    return encode(photograph(64, 48), "TIFF", tiffinfo=info)


def exif_read(result: Result) -> dict[str, str]:
    """The EXIF of a result, as another program reads it."""
    if result.format == "tiff":
        return exif_of_tiff(result.data)
    image = pyvips.Image.new_from_buffer(result.data, "")
    fields = {name.removeprefix("exif-"): str(image.get(name)) for name in image.get_fields() if "exif-if" in name}
    # Behind the value stand, in brackets, how it would be written otherwise, its type and its length.
    return {name: re.sub(r"\s*\(.*, \d+ components?, \d+ bytes?\)$", "", value) for name, value in fields.items()}


def exif_of_tiff(data: bytes) -> dict[str, str]:
    tags = decode(data).getexif()
    told = {
        name: tags[tag]
        for tag, name in ((MAKE, "ifd0-Make"), (ARTIST, "ifd0-Artist"), (COPYRIGHT, "ifd0-Copyright"))
        if tag in tags
    }
    if PLACE in tags:
        told["ifd3-GPSLatitude"] = " ".join(f"{float(part):g}" for part in tags.get_ifd(PLACE)[2])
    if CAMERA in tags:
        told["ifd2-ExposureTime"] = f"1/{1 / float(tags.get_ifd(CAMERA)[0x829A]):g} sec."
    # Pillow reads letters as Latin-1, though most write UTF-8.
    return {name: str(value).encode("latin-1").decode() for name, value in told.items()}


def xmp_read(result: Result) -> str:
    packet = decode(result.data).info.get("xmp", b"")
    assert isinstance(packet, bytes)
    return packet.decode()


@pytest.mark.parametrize("form", FORMATS)
def test_without_being_asked_for_nothing_is_kept(form: Any) -> None:
    result = process(source("JPEG", exif=exif_of(), xmp=XMP), (Convert(format=form),))
    assert b"Zo\xc3\xab" not in result.data
    assert not xmp_read(result)
    assert not exif_read(result)


@pytest.mark.parametrize("came", ["JPEG", "PNG", "WEBP", "AVIF", "TIFF"])
@pytest.mark.parametrize("goes", CARRYING)
@pytest.mark.parametrize("metadata", [Metadata.COPYRIGHT, Metadata.ALL])
def test_author_and_copyright_go_from_format_to_format(came: str, goes: Any, metadata: Metadata) -> None:
    result = process(source(came, exif=exif_of()), (Convert(format=goes),), metadata=metadata)
    told = exif_read(result)
    assert (told["ifd0-Artist"], told["ifd0-Copyright"]) == (JANE, NOTICE)
    assert ("ifd0-Make" in told) == (metadata is Metadata.ALL)
    assert ("ifd3-GPSLatitude" in told) == (metadata is Metadata.ALL)
    assert ("ifd2-ExposureTime" in told) == (metadata is Metadata.ALL)
    assert "<rdf:li>Zoë Ångström</rdf:li><rdf:li>Jane</rdf:li>" in xmp_read(result)
    assert NOTICE in xmp_read(result)


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("goes", CARRYING)
def test_numbers_of_exif_are_the_same_in_either_order_of_bytes(order: str, goes: Any) -> None:
    told = exif_read(process(source("JPEG", exif=exif_of(order)), (Convert(format=goes),), metadata=Metadata.ALL))
    assert told["ifd2-ExposureTime"].startswith("1/125")
    degrees, minutes, seconds = (float(Fraction(part)) for part in told["ifd3-GPSLatitude"].split())
    assert (degrees, minutes, seconds) == (51, 30, 25.99)
    assert told["ifd0-Make"] == "Darkroom cameras"


@pytest.mark.parametrize("came", ["JPEG", "PNG", "WEBP", "AVIF", "TIFF"])
@pytest.mark.parametrize("goes", CARRYING)
def test_licences_of_xmp_go_from_format_to_format(came: str, goes: Any) -> None:
    result = process(source(came, xmp=XMP), (Convert(format=goes),), metadata=Metadata.COPYRIGHT)
    packet = xmp_read(result)
    for kept in ("Zoë &amp; Co.", "Alle Rechte", "Ask me.", "licenses/by/4.0/", "org/buy", "terms?a=1&amp;b=2"):
        assert kept in packet
    for dropped in ("The sea", "GPSLatitude", "own", "Orientation"):
        assert dropped not in packet
    assert exif_read(result)["ifd0-Artist"] == "Zoë & Co.; Jane"
    assert exif_read(result)["ifd0-Copyright"] == "© Zoë"


@pytest.mark.parametrize("goes", CARRYING)
def test_all_keeps_every_property_but_those_of_the_old_pixels(goes: Any) -> None:
    packet = xmp_read(process(source("JPEG", xmp=XMP), (Convert(format=goes),), metadata=Metadata.ALL))
    for kept in ("The sea", "exif:GPSLatitude>51,30.0N", "mine", "Alle Rechte", "licenses/by/4.0/", "org/buy"):
        assert kept in packet
    assert "Orientation" not in packet


@pytest.mark.parametrize("metadata", list(Metadata))
@pytest.mark.parametrize("goes", CARRYING)
def test_a_result_is_upright_and_says_nothing_else(metadata: Metadata, goes: Any) -> None:
    result = process(source("JPEG", exif=exif_of(), xmp=XMP), (Convert(format=goes),), metadata=metadata)
    assert (result.width, result.height) == (48, 64)
    picture = decode(result.data)
    assert 0x0112 not in picture.getexif()
    assert "Orientation" not in "".join(exif_read(result))
    image = pyvips.Image.new_from_buffer(result.data, "").autorot()
    assert (image.width, image.height) == (48, 64)


@pytest.mark.parametrize("goes", CARRYING)
def test_no_picture_as_it_was_stays_in_the_metadata(goes: Any) -> None:
    small = base64.b64encode(encode(photograph(64, 48))).decode()
    hidden = f"""<xmp:Thumbnails xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:g="http://ns.adobe.com/xap/1.0/g/img/">
        <rdf:Alt><rdf:li rdf:parseType="Resource"><g:image>{small}</g:image></rdf:li></rdf:Alt></xmp:Thumbnails>
        <a:Data xmlns:a="http://ns.google.com/photos/1.0/image/">{small[:200]}</a:Data>
        <b:anything xmlns:b="urn:b"><rdf:Seq><rdf:li>{small}</rdf:li></rdf:Seq></b:anything>
        <c:anything xmlns:c="urn:c">{encode(photograph(64, 48)).hex()}</c:anything>"""
    packet = XMP.replace(b"</rdf:Description>", hidden.encode() + b"</rdf:Description>")
    packet = packet.replace(b"own:note=", f'own:preview="{small}" own:note='.encode())
    result = process(
        source("JPEG", exif=exif_of(), xmp=packet), (Blur(radius=50), Convert(format=goes)), metadata=Metadata.ALL
    )
    assert JPEG not in result.data[3:]
    assert small[:60] not in xmp_read(result)
    assert "Data" not in xmp_read(result)
    assert encode(photograph(64, 48)).hex()[:60] not in xmp_read(result)
    assert "mine" in xmp_read(result)
    assert not any("ifd1" in name or "MakerNote" in name for name in exif_read(result))


def photoshop(*resources: tuple[int, bytes]) -> bytes:
    body = b"".join(
        b"8BIM" + struct.pack(">HxxI", number, len(data)) + data + bytes(len(data) % 2) for number, data in resources
    )
    return b"Photoshop 3.0\0" + body


def iptc(*values: tuple[int, str]) -> bytes:
    return b"".join(
        b"\x1c\x02" + struct.pack(">BH", number, len(text.encode())) + text.encode() for number, text in values
    )


def test_author_and_copyright_are_found_in_iptc() -> None:
    record = iptc((5, "Title"), (80, "Zoë"), (80, "Jane"), (116, NOTICE))
    body = photoshop((0x03ED, bytes(15)), (0x0404, record))
    plain = encode(photograph(64, 48))
    jpeg = plain[:2] + b"\xff\xed" + struct.pack(">H", len(body) + 2) + body + plain[2:]
    tiff = encode(photograph(64, 48), "TIFF", tiffinfo={33723: record})
    for file in (jpeg, tiff):
        told = exif_read(process(file, metadata=Metadata.COPYRIGHT))
        assert (told["ifd0-Artist"], told["ifd0-Copyright"]) == ("Zoë; Jane", NOTICE)


def test_author_and_copyright_are_found_in_the_texts_of_a_png() -> None:
    text = PngInfo()
    text.add_text("Author", "Jane Grey")
    text.add_itxt("Copyright", NOTICE, zip=True)
    text.add_text("Comment", "private")
    result = process(encode(photograph(64, 48), "PNG", pnginfo=text), (Convert(format="jpeg"),), metadata=Metadata.ALL)
    assert (exif_read(result)["ifd0-Artist"], exif_read(result)["ifd0-Copyright"]) == ("Jane Grey", NOTICE)
    assert b"private" not in result.data


def nested(depth: int) -> bytes:
    return b"<x>" * depth + b"</x>" * depth


HOSTILE_XMP = {
    "no XML": b"<" * 60_000,
    "letters that are none": b"\xff\xfe" * 1000,
    "a bomb of entities": b'<!DOCTYPE a [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]><a>&b;</a>',
    "a bomb in UTF-16": '<?xml version="1.0" encoding="utf-16"?><!DOCTYPE a [<!ENTITY a "b">]><a>&a;</a>'.encode(
        "utf-16"
    ),
    "an outside entity": b'<!DOCTYPE a [<!ENTITY a SYSTEM "file:///etc/passwd">]><a>&a;</a>',
    "depth": nested(9_000),
    "breadth": b"<a>" + b"<b/>" * 15_000 + b"</a>",
    "nothing": b"",
    "cut off": XMP[:900],
}
LOOP = header("<") + tiff_bytes("<", [text_entry(ARTIST, JANE), (CAMERA, 4, 1, struct.pack("<I", 8))])
HOSTILE_EXIF = {
    "nothing": b"II*\0",
    "no directory": header("<"),
    "noise": b"\xff" * 500,
    "entries without end": header("<") + b"\xff\xff",
    "a directory within itself": LOOP,
    "a value beyond the file": header("<") + tiff_bytes("<", [(ARTIST, 2, 2**31, struct.pack("<I", 2**31))]),
    "a type that is none": header("<") + tiff_bytes("<", [(ARTIST, 99, 4, b"Zoe\0")]),
    "no values": header("<") + tiff_bytes("<", [(ARTIST, 2, 0, b"")]),
    "a directory beyond the file": header(">") + tiff_bytes(">", [(CAMERA, 4, 1, b"\xff\xff\xff\xff")]),
}


@pytest.mark.parametrize("name", HOSTILE_XMP)
@pytest.mark.parametrize("metadata", [Metadata.COPYRIGHT, Metadata.ALL])
def test_broken_xmp_is_dropped_and_the_rest_kept(name: str, metadata: Metadata) -> None:
    result = process(source("WEBP", exif=exif_of(), xmp=HOSTILE_XMP[name]), metadata=metadata)
    assert exif_read(result)["ifd0-Artist"] == JANE
    assert b"DOCTYPE" not in result.data
    assert b"root:" not in result.data


@pytest.mark.parametrize("name", HOSTILE_EXIF)
@pytest.mark.parametrize("form", ["JPEG", "PNG"])
def test_broken_exif_is_dropped_and_the_rest_kept(name: str, form: str) -> None:
    result = process(source(form, exif=HOSTILE_EXIF[name], xmp=XMP), metadata=Metadata.ALL)
    assert "Ask me." in xmp_read(result)
    assert b"\xff" * 100 not in result.data


def test_metadata_that_is_too_large_is_dropped_longest_first() -> None:
    entries = [text_entry(0x010E, "a" * 16_000), text_entry(0x0131, "b" * 15_000), text_entry(0x013C, "c" * 14_000)]
    entries += [text_entry(0x010D, "d" * 13_000), text_entry(0x011D, "e" * 12_000), text_entry(ARTIST, "f" * 20_000)]
    huge = header("<") + tiff_bytes("<", [*entries, text_entry(COPYRIGHT, NOTICE)])
    many = b"".join(b'<a:n%d xmlns:a="urn:a">%s</a:n%d>' % (index, b"-." * 2000, index) for index in range(100))
    packet = XMP.replace(b"</rdf:Description>", many + b"</rdf:Description>")
    for goes in CARRYING:
        convert = Convert(format=goes)  # type: ignore[arg-type]
        result = process(source("WEBP", exif=huge, xmp=packet), (convert,), metadata=Metadata.ALL)
        assert exif_read(result)["ifd0-Copyright"] == NOTICE
        assert b"b" * 15_000 in result.data
        assert b"a" * 100 not in result.data
        assert b"f" * 100 not in result.data
        assert "Ask me." in xmp_read(result)
        assert len(xmp_read(result)) < 60_000


@pytest.mark.parametrize("length", [5, 60, 3_000])
def test_xmp_of_many_namespaces_fits_a_jpeg(length: int) -> None:
    many = "".join(
        f'<a:a xmlns:a="urn:{index}{"x" * length}">&lt;</a:a>' for index in range(min(3_000, 900_000 // (length + 45)))
    )
    packet = XMP.replace(b"</rdf:Description>", many.encode() + b"</rdf:Description>")
    result = process(source("WEBP", xmp=packet), (Convert(format="jpeg"),), metadata=Metadata.ALL)
    assert len(xmp_read(result).encode()) <= 60_000
    assert "Ask me." in xmp_read(result)


def test_texts_of_a_png_that_unpack_to_gigabytes_cost_nothing() -> None:
    body = b"Author\0\0" + zlib.compress(bytes(50_000_000))
    chunk = struct.pack(">I", len(body)) + b"zTXt" + body + struct.pack(">I", zlib.crc32(b"zTXt" + body))
    plain = encode(photograph(64, 48), "PNG")
    result = process(plain[:33] + chunk * 200 + plain[33:], metadata=Metadata.ALL)
    assert len(result.data) < len(plain) + 10_000


@pytest.mark.parametrize("goes", ["gif", "png", "webp"])
def test_animations_carry_it_where_their_format_can(goes: Any) -> None:
    frames = [photograph(32, 24, seed) for seed in range(3)]
    options = {"save_all": True, "append_images": frames[1:], "duration": 100, "exif": exif_of(), "xmp": XMP}
    result = process(encode(frames[0], "WEBP", **options), (Convert(format=goes),), metadata=Metadata.ALL)
    assert result.frames == 3
    assert ("Ask me." in xmp_read(result)) == (goes != "gif")
    assert (decode(result.data).getexif().get(ARTIST) is not None) == (goes != "gif")


def test_each_output_carries_it_and_its_pixels_are_the_same() -> None:
    file = source("JPEG", exif=exif_of(), xmp=XMP)
    outputs = {"thumb": (Resize(width=20),), "web": (Convert(format="webp"),)}
    kept = process_outputs(file, (), outputs, metadata=Metadata.COPYRIGHT)
    plain = process_outputs(file, (), outputs)
    for name in outputs:
        assert exif_read(kept[name])["ifd0-Artist"] == JANE
        assert (pixels(decode(kept[name].data)) == pixels(decode(plain[name].data))).all()
    assert process_outputs(file, (), outputs, metadata=Metadata.COPYRIGHT) == kept


@pytest.mark.parametrize("metadata", list(Metadata))
@pytest.mark.parametrize("form", ["BMP", "GIF", "JPEG", "PNG", "WEBP", "AVIF", "TIFF"])
def test_a_file_that_says_nothing_comes_out_as_without(form: str, metadata: Metadata) -> None:
    plain = encode(photograph(64, 48), form)
    if form == "TIFF" and metadata is Metadata.ALL:
        plain = encode(photograph(64, 48), form, tiffinfo={})
    assert process(plain, metadata=metadata) == process(plain)
