"""File names of strangers."""

import pytest
from darkroom_api.uploads import names
from darkroom_contracts.formats import ImageFormat
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("given_name", "kept"),
    [
        ("holiday.jpg", "holiday.jpg"),
        ("Grüße aus Köln.jpg", "Grüße aus Köln.jpg"),
        ("写真.png", "写真.png"),
        ("../../etc/passwd", "passwd"),
        ("C:\\photos\\cat.jpg", "cat.jpg"),
        ("a\r\nSet-Cookie: b", "aSet-Cookie: b"),
        ("evil\u202egpj.exe", "evilgpj.exe"),
        ("\ud800.jpg", "jpg"),
        ("..", "image-3"),
        ("   ", "image-3"),
        ("", "image-3"),
        (None, "image-3"),
        ("x" * 500, "x" * 200),
    ],
)
def test_what_people_call_a_file_is_kept_where_it_can_be(given_name: str | None, kept: str) -> None:
    assert names.clean(given_name, 3) == kept


@given(st.text())
def test_a_cleaned_name_is_printable_and_no_path(text: str) -> None:
    name = names.clean(text, 0)
    assert 0 < len(name) <= 200
    assert not set("/\\\r\n\0") & set(name)
    assert name not in {".", ".."}
    name.encode()


@pytest.mark.parametrize(
    ("original", "result"),
    [("cat.jpg", "cat.webp"), ("cat.JPEG", "cat.webp"), ("cat", "cat.webp"), ("v1.2 final", "v1.2 final.webp")],
)
def test_a_result_has_the_extension_of_its_format(original: str, result: str) -> None:
    assert names.of_result(original, ImageFormat.WEBP) == result
