import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from ipaddress import ip_address
from itertools import pairwise
from pathlib import Path

import pytest
import trustme
from darkroom_contracts.problems import ProblemCode
from darkroom_outbound.client import Client, tls_context
from darkroom_outbound.errors import (
    AnsweredError,
    FetchError,
    FetchTimeoutError,
    HostBusyError,
    TemporaryError,
    TooLargeError,
    UrlRefusedError,
)
from darkroom_outbound.fetching import Limits, fetch_file
from darkroom_outbound.guard import Guard
from darkroom_outbound.host_slots import HostSlots
from support.hostile_server import HostileServer, Received, answer, hostile_server, redirect
from support.waiting import wait_for

pytestmark = pytest.mark.alone

LIMITS = Limits(max_bytes=200_000, seconds=20)
OPEN = Guard.parse(allow=["127.0.0.1"])
"""Allows the server of the tests, and no other address of the loopback network."""

CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.fixture
def server() -> Iterator[HostileServer]:
    with hostile_server() as running:
        yield running


@pytest.fixture
def within() -> Iterator[HostileServer]:
    """A server that nobody outside is to reach."""
    with hostile_server("127.0.0.2") as running:
        running.answers["/"] = answer(body=b"secret")
        yield running


def get(url: str, client: Client | None = None, limits: Limits = LIMITS) -> bytes:
    body = bytearray()
    count = fetch_file(url, body.extend, client=client or Client(OPEN), limits=limits)
    assert count == len(body)
    return bytes(body)


def resolves_to(*answers: Sequence[str]) -> Callable[[str], Sequence[str]]:
    """A resolver that gives the next answer each time, and no other."""
    left = list(answers)
    return lambda _: left.pop(0)


def test_a_file_is_fetched_with_little_said_about_us(server: HostileServer) -> None:
    server.answers["/a.jpg"] = answer(body=b"x" * 150_000)
    assert get(server.url("/a.jpg?size=1&x=%2F#part")) == b"x" * 150_000
    (received,) = server.received
    assert (received.method, received.path) == ("GET", "/a.jpg?size=1&x=%2F")
    assert received.headers == {
        "host": f"127.0.0.1:{server.port}",
        "user-agent": "Darkroom/0.1",
        "accept": "image/*,*/*;q=0.5",
        "accept-encoding": "identity",
        "connection": "close",
    }


def test_a_chunked_file_is_fetched(server: HostileServer) -> None:
    server.answers["/"] = CHUNKED + b"3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nTrailer: x\r\n\r\n"
    assert get(server.url()) == b"abcde"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_followed(server: HostileServer, status: int) -> None:
    server.answers |= {
        "/a": redirect("/b?c=d", status),
        "/b": redirect(server.url("/c"), status),
        "/c": answer(body=b"end"),
    }
    assert get(server.url("/a")) == b"end"


def test_five_redirects_are_followed_and_no_more(server: HostileServer) -> None:
    server.answers |= {f"/{number}": redirect(f"/{number + 1}") for number in range(6)} | {"/6": answer(body=b"end")}
    assert get(server.url("/1")) == b"end"
    with pytest.raises(AnsweredError, match="redirects more than 5 times"):
        get(server.url("/0"))


@pytest.mark.parametrize(
    "place",
    [
        "http://127.0.0.2:{port}/",
        "//127.0.0.2:{port}/",
        "http://2130706434:{port}/",
        "http://0x7f000002:{port}/",
        "http://0177.0.0.2:{port}/",
        "http://127.2:{port}/",
        "http://[::ffff:127.0.0.2]:{port}/",
        "http://[::127.0.0.2]:{port}/",
        "http://user@127.0.0.2:{port}/",
        "http://127.0.0.1@127.0.0.2:{port}/",
        "http://127.0.0.2.:{port}/",
        "http://127。0。0。2:{port}/",
        "http://%31%32%37.0.0.2:{port}/",
        "http://169.254.169.254/latest/meta-data/",
        "file:///etc/passwd",
        "gopher://127.0.0.2:{port}/",
    ],
)
def test_no_redirect_leads_into_private_space(server: HostileServer, within: HostileServer, place: str) -> None:
    server.answers |= {"/a": redirect("/b"), "/b": redirect(place.format(port=within.port))}
    with pytest.raises(UrlRefusedError):
        get(server.url("/a"))
    assert within.received == []


def test_private_space_is_not_reached_directly_either(within: HostileServer) -> None:
    with pytest.raises(UrlRefusedError, match="not on the public internet") as refused:
        get(within.url())
    assert refused.value.code == ProblemCode.URL_NOT_ALLOWED
    assert within.received == []


def test_a_name_is_looked_up_once_and_that_address_is_connected_to(server: HostileServer) -> None:
    server.answers["/"] = answer(body=b"sound")
    looked_up = []

    def changing(host: str) -> Sequence[str]:
        looked_up.append(host)
        return ["127.0.0.1"] if len(looked_up) == 1 else ["127.0.0.2"]

    client = Client(OPEN, resolver=changing)
    assert get(server.url(host="rebinding.example"), client) == b"sound"
    assert looked_up == ["rebinding.example"]
    assert server.received[0].headers["host"] == f"rebinding.example:{server.port}"


def test_a_name_that_changes_its_address_between_two_redirects_is_looked_at_again(
    server: HostileServer, within: HostileServer
) -> None:
    server.answers["/"] = redirect(f"http://rebinding.example:{within.port}/")
    client = Client(OPEN, resolver=resolves_to(["127.0.0.1"], ["127.0.0.2"]))
    with pytest.raises(UrlRefusedError):
        get(server.url(host="rebinding.example"), client)
    assert within.received == []


def test_of_several_addresses_only_one_that_is_allowed_is_connected_to(
    server: HostileServer, within: HostileServer
) -> None:
    server.answers["/"] = answer(body=b"sound")
    client = Client(OPEN, resolver=resolves_to(["127.0.0.2", "::1", "127.0.0.1"]))
    assert get(server.url(host="several.example"), client) == b"sound"
    assert within.received == []


def test_a_host_can_be_allowed_by_name(server: HostileServer) -> None:
    server.answers["/"] = answer(body=b"sound")
    client = Client(Guard.parse(allow=["photos.example"]), resolver=lambda _: ["127.0.0.1"])
    assert get(server.url(host="photos.example"), client) == b"sound"
    with pytest.raises(UrlRefusedError):
        get(server.url(host="other.example"), client)


def test_requests_can_be_limited_to_some_hosts_and_so_can_redirects(server: HostileServer) -> None:
    server.answers |= {"/": answer(body=b"sound"), "/away": redirect(server.url(host="other.example"))}
    client = Client(Guard.parse(allow=["127.0.0.1"], hosts=["*.photos.example"]), resolver=lambda _: ["127.0.0.1"])
    assert get(server.url(host="a.photos.example"), client) == b"sound"
    for url in (server.url(host="other.example"), server.url(), server.url("/away", host="a.photos.example")):
        with pytest.raises(UrlRefusedError, match="does not fetch from this host"):
            get(url, client)
    assert [received.path for received in server.received] == ["/", "/away"]


def test_a_slow_drip_ends_with_the_deadline_in_the_body_in_the_head_and_before_it(server: HostileServer) -> None:
    server.answers |= {
        "/body": server.forever(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n", b"x", pause=0.05),
        "/head": server.forever(b"HTTP/1.1 200 OK\r\n", b"X-A: b\r\n", pause=0.05),
        "/line": server.forever(b"HTTP/1.1 200 OK\r\nX-A: ", b"x", pause=0.05),
        "/continue": server.forever(b"", b"HTTP/1.1 100 Continue\r\n\r\n", pause=0.05),
        "/chunks": server.forever(CHUNKED, b"1\r\nx\r\n", pause=0.05),
        "/chunk": server.forever(CHUNKED + b"1;", b"x", pause=0.05),
        "/silent": server.silent,
    }
    for path in server.answers:
        began = time.monotonic()
        with pytest.raises(FetchTimeoutError) as timeout:
            get(server.url(path), limits=Limits(max_bytes=200_000, seconds=0.4))
        assert time.monotonic() - began < 5, path
        assert timeout.value.code == ProblemCode.FETCH_TIMEOUT
        assert timeout.value.is_temporary


def test_the_deadline_holds_across_redirects(server: HostileServer) -> None:
    def slow(connection: socket.socket, _: Received) -> None:
        server.closing.wait(0.3)
        connection.sendall(redirect("/a"))

    server.answers["/a"] = slow
    with pytest.raises(FetchTimeoutError):
        get(server.url("/a"), limits=Limits(max_bytes=200_000, seconds=0.7))


def test_a_lookup_that_does_not_end_ends_with_the_deadline() -> None:
    never = threading.Event()

    def stuck(_: str) -> Sequence[str]:
        never.wait(10)
        return []

    with pytest.raises(FetchTimeoutError, match="Looking up"):
        get("http://stuck.example/", Client(OPEN, resolver=stuck), Limits(max_bytes=1, seconds=0.2))
    never.set()


def test_an_endless_body_is_left_at_the_limit(server: HostileServer) -> None:
    server.answers |= {
        "/plain": server.forever(b"HTTP/1.1 200 OK\r\n\r\n", b"x" * 65_536),
        "/chunked": server.forever(CHUNKED, b"10000\r\n" + b"x" * 65_536 + b"\r\n"),
    }
    for path in server.answers:
        body = bytearray()
        with pytest.raises(TooLargeError, match=r"limit is 0\.2 MB") as too_large:
            fetch_file(server.url(path), body.extend, client=Client(OPEN), limits=LIMITS)
        assert len(body) <= LIMITS.max_bytes
        assert too_large.value.code == ProblemCode.IMAGE_TOO_LARGE


def test_a_file_that_says_it_is_too_large_is_not_read_at_all(server: HostileServer) -> None:
    server.answers["/"] = answer(body=b"x", Content_Length="200001")
    body = bytearray()
    with pytest.raises(TooLargeError):
        fetch_file(server.url(), body.extend, client=Client(OPEN), limits=LIMITS)
    assert body == b""


def test_a_file_as_large_as_the_limit_is_fetched(server: HostileServer) -> None:
    server.answers["/"] = answer(body=b"x" * LIMITS.max_bytes)
    assert len(get(server.url())) == LIMITS.max_bytes


def test_lying_lengths_bring_no_more_than_was_said_and_no_less(server: HostileServer) -> None:
    server.answers |= {
        "/more": answer(body=b"abcdef", Content_Length="3"),
        "/less": answer(body=b"abc", Content_Length="6"),
        "/cut": CHUNKED + b"6\r\nabc",
        "/negative": answer(body=b"abc", Content_Length="-3"),
    }
    assert get(server.url("/more")) == b"abc"
    assert get(server.url("/negative")) == b"abc"
    for path in ("/less", "/cut"):
        with pytest.raises(TemporaryError, match="ended early"):
            get(server.url(path))


@pytest.mark.parametrize("encoding", ["gzip", "GZIP", "deflate", "br", "identity, gzip"])
def test_nothing_is_unpacked(server: HostileServer, encoding: str) -> None:
    server.answers["/"] = answer(body=b"x", Content_Encoding=encoding)
    with pytest.raises(AnsweredError, match="compressed"):
        get(server.url())


@pytest.mark.parametrize(
    "told",
    [
        b"",
        b"SSH-2.0-OpenSSH_9.0\r\n",
        b"\x00" * 1000,
        b"HTTP/1.1 abc\r\n\r\n",
        b"HTTP/9.9 200 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200 + b"\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"y" * 70_000 + b"\r\n\r\n",
        CHUNKED + b"zz\r\n",
        CHUNKED + b"-5\r\nabc\r\n",
        CHUNKED + b"1" * 70_000,
        b"HTTP/1.1 302 Found\r\nLocation: \xff\xfe\x00\r\n\r\n",
        b"HTTP/1.1 302 Found\r\nLocation: http://[::1\r\n\r\n",
        b"HTTP/1.1 302 Found\r\nLocation: http://" + b"a" * 60_000 + b"/\r\n\r\n",
    ],
)
def test_whatever_a_server_sends_ends_in_a_sentence(server: HostileServer, told: bytes) -> None:
    server.answers["/"] = told
    with pytest.raises(FetchError, match=r"\.$"):
        get(server.url())


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
def test_a_server_that_cannot_now_is_asked_again_later(server: HostileServer, status: int) -> None:
    server.answers["/"] = answer(status, Retry_After="17")
    with pytest.raises(TemporaryError, match=f"answered {status}") as temporary:
        get(server.url())
    assert temporary.value.is_temporary
    assert temporary.value.retry_after == 17


@pytest.mark.parametrize(
    ("written", "seconds"),
    [("Wed, 21 Oct 2015 07:28:00 GMT", 0.0), ("soon", None), ("-5", None), ("9" * 40, 999_999_999.0), ("", None)],
)
def test_when_to_ask_again_is_read_as_seconds_or_as_a_date(
    server: HostileServer, written: str, seconds: float | None
) -> None:
    server.answers["/"] = answer(503, Retry_After=written)
    with pytest.raises(TemporaryError) as temporary:
        get(server.url())
    assert temporary.value.retry_after == seconds


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (404, "url_not_found"),
        (410, "url_not_found"),
        (401, "fetch_failed"),
        (403, "fetch_failed"),
        (204, "fetch_failed"),
        (206, "fetch_failed"),
        (304, "fetch_failed"),
        (300, "fetch_failed"),
    ],
)
def test_any_other_answer_is_final(server: HostileServer, status: int, code: str) -> None:
    server.answers["/"] = answer(status, body=b"no image" if status not in (204, 304) else b"")
    with pytest.raises(AnsweredError, match=f"answered {status}") as final:
        get(server.url())
    assert final.value.code == code
    assert not final.value.is_temporary


def test_a_server_that_nobody_listens_at_is_asked_again_later() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(TemporaryError, match="could not be reached"):
        get(f"http://127.0.0.1:{port}/")


def test_a_host_without_an_address_is_asked_again_later() -> None:
    def unknown(_: str) -> Sequence[str]:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    for resolver in (unknown, resolves_to([])):
        with pytest.raises(TemporaryError, match="could not be found"):
            get("http://nowhere.example/", Client(OPEN, resolver=resolver))


def test_what_takes_the_bytes_may_fail_in_its_own_way(server: HostileServer) -> None:
    server.answers["/"] = answer(body=b"x")

    def full(_: bytes) -> None:
        raise OSError("No space left on device")

    with pytest.raises(OSError, match="No space"):
        fetch_file(server.url(), full, client=Client(OPEN), limits=LIMITS)


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def secure(authority: trustme.CA) -> Iterator[HostileServer]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("photos.example", "127.0.0.1").configure_cert(context)
    with hostile_server(tls=context) as running:
        running.answers |= {
            "/": answer(body=b"sound"),
            "/drip": running.forever(b"HTTP/1.1 200 OK\r\n\r\n", b"x", pause=0.05),
        }
        yield running


def test_a_certificate_of_an_own_authority_holds_for_the_name_that_was_asked_for(
    secure: HostileServer, authority: trustme.CA, tmp_path: Path
) -> None:
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    tls = tls_context(str(tmp_path / "ca.pem"))
    client = Client(OPEN, tls=tls, resolver=lambda _: ["127.0.0.1"])
    assert get(secure.url(), client) == b"sound"
    assert get(secure.url(host="photos.example"), client) == b"sound"
    with pytest.raises(AnsweredError, match="certificate") as final:
        get(secure.url(host="other.example"), client)
    assert not final.value.is_temporary
    with pytest.raises(FetchTimeoutError):
        get(secure.url("/drip"), client, Limits(max_bytes=1000, seconds=0.4))


def test_a_certificate_of_an_unknown_authority_is_refused(secure: HostileServer) -> None:
    with pytest.raises(AnsweredError, match="certificate"):
        get(secure.url())
    assert secure.received == []


def test_a_handshake_that_does_not_end_ends_with_the_deadline() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener, pytest.raises(FetchTimeoutError):
        get(f"https://127.0.0.1:{listener.getsockname()[1]}/", limits=Limits(max_bytes=1, seconds=0.3))


def test_requests_go_through_a_proxy_to_the_address_that_was_judged(
    server: HostileServer, secure: HostileServer, authority: trustme.CA, tmp_path: Path
) -> None:
    def tunnel(connection: socket.socket, _: Received) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        secure.serve(tls.wrap_socket(connection, server_side=True))

    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("photos.example").configure_cert(tls)
    server.answers |= {"http://photos.example/a": answer(body=b"plain"), "127.0.0.1:443": tunnel}
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    client = Client(
        OPEN,
        tls=tls_context(str(tmp_path / "ca.pem")),
        proxy=server.url().removesuffix("/"),
        resolver=lambda host: ["127.0.0.1"] if host == "photos.example" else ["127.0.0.2"],
    )
    assert get("http://photos.example/a", client) == b"plain"
    assert get("https://photos.example/", client) == b"sound"
    assert [(received.method, received.path) for received in server.received] == [
        ("GET", "http://photos.example/a"),
        ("CONNECT", "127.0.0.1:443"),
    ]
    with pytest.raises(UrlRefusedError):
        get("https://within.example/", client)


def test_proxies_and_passwords_of_the_environment_are_not_used(
    server: HostileServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login a password b\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    monkeypatch.setenv("http_proxy", "http://127.0.0.2:9")
    server.answers["/"] = answer(body=b"sound")
    assert get(server.url()) == b"sound"
    assert "authorization" not in server.received[0].headers


def test_no_log_holds_a_url_which_may_be_as_good_as_a_password(
    server: HostileServer, caplog: pytest.LogCaptureFixture
) -> None:
    server.answers |= {"/a": redirect("/b?token=s3cret"), "/b": answer(500)}
    with caplog.at_level("DEBUG"), pytest.raises(TemporaryError) as error:
        get(server.url("/a?token=s3cret"))
    assert "s3cret" not in caplog.text + str(error.value)


def test_a_slow_host_holds_up_nobody_else(server: HostileServer) -> None:
    server.answers |= {"/slow": server.silent, "/": answer(body=b"sound")}
    names = {"slow.example": "127.0.0.1", "wildcard.slow.example": "127.0.0.1", "fast.example": "127.0.0.3"}
    with hostile_server("127.0.0.3") as other:
        other.answers["/"] = answer(body=b"sound")
        client = Client(Guard.parse(allow=["127.0.0.0/8"]), slots=HostSlots(2), resolver=lambda host: [names[host]])
        limits = Limits(max_bytes=1000, seconds=3)

        def ask() -> None:
            with pytest.raises(FetchTimeoutError):
                get(server.url("/slow", host="slow.example"), client, limits)

        threads = [threading.Thread(target=ask) for _ in range(2)]
        for thread in threads:
            thread.start()
        wait_for(lambda: len(server.received) == 2, limit=10, what="both slow requests")
        for host in ("slow.example", "wildcard.slow.example"):
            with pytest.raises(HostBusyError) as busy:
                get(server.url(host=host), client)
            assert 0 < busy.value.wait <= 300
        assert get(other.url(host="fast.example"), client) == b"sound"
        for thread in threads:
            thread.join()
        assert get(server.url(host="slow.example"), client) == b"sound"


def test_a_host_that_is_named_twice_counts_once() -> None:
    slots = HostSlots(2)
    with (
        slots.hold("127.0.0.1", "127.0.0.1"),
        slots.hold("127.0.0.1", "127.0.0.1"),
        pytest.raises(HostBusyError),
        slots.hold("127.0.0.1"),
    ):
        pass


def test_whoever_is_turned_away_gets_a_turn_of_their_own() -> None:
    slots = HostSlots(1)
    waits = []
    with slots.hold("a.example"):
        for _ in range(1000):
            with pytest.raises(HostBusyError) as busy, slots.hold("a.example"):
                pass
            waits.append(busy.value.wait)
        with slots.hold("b.example"):
            pass
    assert all(0 < earlier < later for earlier, later in pairwise(waits[:200]))
    assert max(waits) <= 300
    with slots.hold("a.example"):
        pass


def test_the_system_knows_the_loopback_network() -> None:
    with pytest.raises(UrlRefusedError):
        get("http://localhost:1/", Client(Guard()))
    assert not Guard().permits(ip_address("::1"))
