from ipaddress import IPv4Address

import pytest
from darkroom_contracts.problems import ProblemCode
from darkroom_outbound.errors import UrlRefusedError
from darkroom_outbound.guard import Guard, HostPatterns
from darkroom_outbound.urls import Target, follow, parse
from hypothesis import given, settings
from hypothesis import strategies as st
from support.address_spellings import hosts, private_addresses


@settings(max_examples=200)
@given(private_addresses())
def test_no_spelling_of_an_address_that_is_not_public_is_let_through(address: IPv4Address) -> None:
    guard = Guard()
    for host in hosts(address):
        for url in (f"http://{host}/a.jpg", f"https://{host}:8443", f"HTTP://{host}?a#b"):
            try:
                target = parse(url)
            except UrlRefusedError:
                continue
            assert target.address is not None, url  # which a resolver might read in its own way
            assert not guard.permits(target.address), url


@given(st.text(max_size=40))
def test_any_text_is_refused_or_read_as_whoever_comes_next_will_read_it(text: str) -> None:
    for url in (text, f"http://{text}", f"https://example.com/{text}", f"http://example.com:{text}/"):
        try:
            target = parse(url)
        except UrlRefusedError:
            continue
        assert parse(target.url) == target
        assert target.url.isascii()


@pytest.mark.parametrize(
    ("url", "target"),
    [
        ("http://example.com", Target("http", "example.com", 80, "/")),
        ("https://Example.COM./a.jpg?b=c&d=%20#e", Target("https", "example.com", 443, "/a.jpg?b=c&d=%20")),
        ("https://example.com:8443/ä", Target("https", "example.com", 8443, "/%C3%A4")),
        ("https://bücher.example/", Target("https", "xn--bcher-kva.example", 443, "/")),
        ("http://[2606:4700:4700:0::1111]/", Target("http", "2606:4700:4700::1111", 80, "/")),
        ("http://8.8.8.8.:81/", Target("http", "8.8.8.8", 81, "/")),
        ("http://a_b.example/", Target("http", "a_b.example", 80, "/")),
    ],
)
def test_a_url_is_taken_apart_as_browsers_do(url: str, target: Target) -> None:
    assert parse(url) == target


@pytest.mark.parametrize(
    "url",
    [
        "", "example.com", "//example.com/", "ftp://example.com/", "file:///etc/passwd", "gopher://example.com:70/_x",
        "data:image/png;base64,AAAA", "javascript:alert(1)", "unix:///var/run/docker.sock", "http+unix://%2Frun/", "http://",
        "http:///a", "http:example.com", "https://user@example.com/", "https://user:password@example.com/",
        "https://:@example.com/", "http://example.com:0/", "http://example.com:65536/",
        "http://example.com:x/", "http://exa mple.com/", "http://example.com/a b", "http://example.com\\@127.0.0.1/",
        "http://example.com\r\nHost: x/", "http://-a.example/", "http://a..example/", "http://1.2.3/", "http://1.2.3.4.5/",
        "http://256.1.1.1/", "http://0x/", "http://a.0x7f/", "http://[::1%25lo]/", "http://[::1/", "http://example.com%2f/",
        "http://" + "a." * 130 + "example/", "http://example.com/" + "a" * 5_000,
    ],
)  # fmt: skip
def test_what_is_no_plain_url_of_http_is_refused(url: str) -> None:
    with pytest.raises(UrlRefusedError) as refused:
        parse(url)
    assert refused.value.code in (ProblemCode.URL_NOT_ALLOWED, ProblemCode.INVALID_URL)


@pytest.mark.parametrize(
    ("location", "url"),
    [
        ("/b?c", "https://example.com:8443/b?c"),
        ("../b", "https://example.com:8443/b"),
        ("//other.example/b", "https://other.example/b"),
        ("http://other.example", "http://other.example/"),
        ("b c.jpg#part", "https://example.com:8443/a/b%20c.jpg"),
    ],
)
def test_a_redirect_is_followed_from_where_it_was_found(location: str, url: str) -> None:
    assert follow(parse("https://example.com:8443/a/x"), location).url == url


def test_hosts_are_matched_by_name_or_by_what_they_are_below() -> None:
    patterns = HostPatterns.parse(["example.com", "*.Images.example.", "bücher.example", "2001:DB8::1"])
    assert all(map(patterns.match, ("example.com", "a.images.example", "a.b.images.example", "2001:db8::1")))
    assert patterns.match("xn--bcher-kva.example")
    assert not any(map(patterns.match, ("www.example.com", "images.example", "notimages.example", "com")))


@pytest.mark.parametrize("text", ["http://example.com", "10.0.0.0/33", "10.1.1.1/8", "*", "a b", "example.com:80", ""])
def test_a_setting_that_is_neither_host_nor_network_is_refused_by_name(text: str) -> None:
    with pytest.raises(ValueError, match="is not a"):
        Guard.parse(allow=[text])
