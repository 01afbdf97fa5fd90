"""Which pages may send what."""

import pytest
from darkroom_runtime.browsers import HostSettings, is_cross_site, is_own_host

NAMES = HostSettings.model_validate({"allowed_hosts": "api, .home.example,Nas"}).own_names("Photos.Example.org")


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "localhost:8000",
        "LocalHost:8000",
        "darkroom.localhost",
        "127.0.0.1:8000",
        "192.168.1.20:8000",
        "[::1]:8000",
        "photos.example.org",
        "photos.example.org:443",
        "api:8000",
        "nas",
        "home.example",
        "a.b.home.example",
    ],
)
def test_own_names_and_any_address_are_answered(host: str) -> None:
    assert is_own_host(host, NAMES)


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:8000",
        "photos.example.org.evil.example",
        "xphotos.example.org",
        "127.0.0.1.evil.example",
        "localhost.evil.example",
        "evilhome.example",
        "127.0.0.1@evil.example",
        "evil.example#127.0.0.1",
        "[::1",
        "127.0.0.1:x:y",
        "",
    ],
)
def test_names_of_others_are_not(host: str) -> None:
    assert not is_own_host(host, NAMES)


def test_all_names_can_be_allowed() -> None:
    assert is_own_host("anything.example", HostSettings.model_validate({"allowed_hosts": "*"}).own_names())


OWN = ("127.0.0.1:8000", "photos.example.org")


@pytest.mark.parametrize(
    ("fetch_site", "origin", "foreign"),
    [
        (None, None, False),
        ("same-origin", "http://127.0.0.1:8000", False),
        ("same-origin", "null", False),
        ("none", None, False),
        ("cross-site", None, True),
        ("cross-site", "http://127.0.0.1:8000", True),
        ("same-site", "http://127.0.0.1:3000", True),
        ("anything", None, True),
        (None, "http://127.0.0.1:8000", False),
        (None, "https://photos.example.org", False),
        (None, "https://photos.example.org:443", False),
        (None, "http://127.0.0.1:3000", True),
        (None, "https://evil.example", True),
        (None, "null", True),
        (None, "", True),
        (None, "http://127.0.0.1:8000.evil.example", True),
        (None, "http://127.0.0.1:x", True),
    ],
)
def test_pages_of_others_are_told_by_what_the_browser_says(
    fetch_site: str | None, origin: str | None, foreign: bool
) -> None:
    assert is_cross_site(fetch_site, origin, OWN) is foreign
