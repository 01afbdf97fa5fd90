"""Images by URL, as far as the URL tells."""

import pytest
from darkroom_api.groups.originals import name_from_url, overlay_ids, remote_original


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://example.com/a.jpg", "a.jpg"),
        ("https://example.com/x/y/b%20c.png?d=e/f#g/h", "b c.png"),
        ("https://example.com/%D1%84%D0%BE%D1%82%D0%BE.jpg", "фото.jpg"),
        ("https://example.com/a%2F..%2Fb.jpg", "a_.._b.jpg"),
        ("https://example.com/%00%0a.jpg", "jpg"),
        ("https://example.com/%FF.jpg", "jpg"),
        ("https://example.com/", "image-7"),
        ("https://example.com", "image-7"),
        ("https://example.com/..", "image-7"),
    ],
)
def test_an_image_is_called_as_in_the_path_of_its_url(url: str, name: str) -> None:
    assert name_from_url(url, 7) == name


@pytest.mark.parametrize(
    "url", ["https://example.com/a.jpg", "HTTP://EXAMPLE.com:8080", "https://[::1]/a", "http://ä.de/ö"]
)
def test_a_url_that_may_be_fetched_is_left_to_whoever_fetches_it(url: str) -> None:
    original = remote_original(url)
    assert (original.url, original.unfit) == (url, None)


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("file:///etc/passwd", "Only http and https"),
        ("//example.com/a.jpg", "Only http and https"),
        ("http:///a.jpg", "no host"),
        ("http://[::1/a.jpg", "cannot be parsed"),
        ("http://example.com:port/", "cannot be parsed"),
        ("http://a@b@example.com/", "user name or password"),
        ("http://example.com\\@other/", "backslashes"),
        ("http://example.com/a\nb", "control characters"),
        ("http://example.com/" + "a" * 4096, "4,115 characters; the limit is 4,096"),
    ],
)
def test_a_url_that_cannot_be_fetched_is_told_so(url: str, reason: str) -> None:
    original = remote_original(url)
    assert original.url is None
    assert reason in str(original.unfit)


def test_each_upload_that_watermarks_show_is_named_once() -> None:
    one, two = {"op": "watermark", "image_id": "1"}, {"op": "watermark", "image_id": "2"}
    text = {"op": "watermark", "text": "x", "image_id": None}
    assert overlay_ids([[one, text], [], [two, one, {"op": "blur", "radius": 5}]]) == ["1", "2"]
