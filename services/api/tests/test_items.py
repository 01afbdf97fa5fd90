"""Images within JSON."""

import base64
import tracemalloc
from unittest import mock
from urllib.parse import quote

import pytest
from darkroom_api.groups import items
from darkroom_imaging.errors import InvalidImageDataError
from hypothesis import given
from hypothesis import strategies as st


def decode(text: str) -> bytes:
    return b"".join(items.decode(text))


@given(st.binary())
def test_base64_gives_its_bytes_with_or_without_a_data_uri(data: bytes) -> None:
    text = base64.b64encode(data).decode()
    assert decode(text) == data
    assert decode(f"data:image/jpeg;base64,{text}") == data
    assert decode(f"DATA:image/jpeg;name=a.jpg;BASE64,{text}") == data


def test_base64_may_have_line_breaks() -> None:
    data = bytes(range(256))
    assert decode(base64.encodebytes(data).decode()) == data


def test_a_data_uri_may_be_percent_encoded() -> None:
    assert decode("data:,a%00b") == b"a\0b"


@given(st.binary())
def test_a_data_uri_may_be_escaped_in_whole_or_in_part(data: bytes) -> None:
    text = base64.b64encode(data).decode()
    assert decode("data:image/png;base64," + quote(text, safe="")) == data
    assert decode("data:image/png;base64," + "".join(f"%{ord(character):02x}" for character in text)) == data
    assert decode("data:image/png;charset=utf-8;x=%2C," + quote(data, safe="")) == data
    assert decode("data:," + "".join(f"%{byte:02X}" for byte in data)) == data


@pytest.mark.parametrize(
    "text",
    [
        "data:image/png;base64,+/8%3D",
        "data:image/png;base64,%2B/8%3d",
        "data:image/png;base64,+/8",
        "DATA:;BASE64,+/8=",
        "data:image/png; base64 ,+/8=",
        " data:image/png;charset=utf-8;base64,+/\r\n8=",
        "data:image/png;base64, + / 8 = ",
        "data:image/png;base64,+%2F8%0A=",
        "data:image/png;base64,+/8=#fragment",
        "data:image/png,%fb%FF",
        "data:%FB\n%FF".replace("data:", "data:,"),
    ],
)
def test_the_ways_to_write_a_data_uri(text: str) -> None:
    assert decode(text) == b"\xfb\xff"


def test_an_item_that_is_escaped_as_a_whole_takes_little_memory() -> None:
    text = "data:," + "%41" * 1_000_000
    tracemalloc.start()
    try:
        assert decode(text) == b"A" * 1_000_000
        assert tracemalloc.get_traced_memory()[1] < 20_000_000
    finally:
        tracemalloc.stop()


@given(st.text("Az+/= %41\n", max_size=30), st.sampled_from(["", "data:,", "data:;base64,"]), st.integers(1, 9))
def test_where_an_item_is_cut_into_pieces_changes_nothing(text: str, start: str, size: int) -> None:
    results: list[bytes | str] = []
    for piece in (size, 1 << 20):
        with mock.patch.object(items, "_PIECE", piece):
            try:
                results.append(decode(start + text))
            except InvalidImageDataError as error:
                results.append(str(error))
    assert results[0] == results[1]


@pytest.mark.parametrize(
    "text",
    [
        "data:,%",
        "data:,%4",
        "data:,%zz",
        "data:;base64,%ZZ==",
        "data:;base64,A",
        "data:,ü",
        "!",
        "abc",
        "data:image/png;base64,!!!!",
        "ümläut",
        "data:image/png;base64",
    ],
)
def test_anything_else_is_refused_with_a_sentence(text: str) -> None:
    with pytest.raises(InvalidImageDataError, match="Expected a data URI or base64 data"):
        decode(text)
