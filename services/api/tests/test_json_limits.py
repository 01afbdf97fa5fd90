"""JSON bodies that would take far more memory than their bytes."""

import pytest
from darkroom_api.http.bodies import limit_wide_text
from darkroom_api.http.problems import Problem

MANY = 5_000_000


@pytest.mark.parametrize(
    "body",
    [
        b'{"images": ["' + b"A" * MANY + b'"]}',
        b'{"images": ["' + b"A\\/" * MANY + b'"]}',
        b'{"images": ["' + b"\\u002b" * MANY + b'"]}',
        '{"images": [{"name": "\u5199\u771f \U0001f600.jpg", "data": "'.encode() + b"A" * MANY + b'"}]}',
        b'{"images": [{"name": "\\u5199\\u771f.jpg", "data": "' + b"A\\/" * MANY + b'"}]}',
    ],
)
def test_images_as_programs_write_them_may_be_long(body: bytes) -> None:
    limit_wide_text(body)


@pytest.mark.parametrize(
    "body",
    [
        '{"images": ["\U0001f600'.encode() + b"A" * MANY + b'"]}',
        b'{"images": ["' + b"A" * MANY + b'\\u0100"]}',
        b'{"images": ["' + b'\\"' * MANY + "\U0001f600".encode(),
        b"[" + b",".join([b'"' + b"\\ud83d\\ude00" * 100 + b'"'] * 5000) + b"]",
    ],
)
def test_long_text_beyond_ascii_is_refused_before_it_is_read(body: bytes) -> None:
    with pytest.raises(Problem) as refused:
        limit_wide_text(body)
    assert refused.value.code == 413
