"""Images within JSON."""

import base64

import pytest
from darkroom_api.groups.items import decode
from darkroom_imaging.errors import InvalidImageDataError
from hypothesis import given
from hypothesis import strategies as st


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


@pytest.mark.parametrize("text", ["!", "abc", "data:image/png;base64,!!!!", "ümläut", "data:image/png;base64"])
def test_anything_else_is_refused_with_a_sentence(text: str) -> None:
    with pytest.raises(InvalidImageDataError, match="neither a data URI nor base64"):
        decode(text)
