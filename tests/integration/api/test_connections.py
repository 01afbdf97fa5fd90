"""HTTP as it is spoken over connections: bodies of every framing, requests in advance, ends before their time."""

import json
import socket
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests
from support.live_api import LiveApi, live_api
from support.pictures import encode, photograph

KEY = "a-key-of-the-tests"
FORM = "Content-Type: application/x-www-form-urlencoded\r\nHost: 127.0.0.1\r\n"


@pytest.fixture(scope="module")
def api(redis_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveApi]:
    """An API that asks for a key."""
    with live_api(redis_url, tmp_path_factory.mktemp("storage"), {"DARKROOM_API_KEYS": KEY}) as api:
        yield api


def exchange(api: LiveApi, *pieces: str, half_close: bool = False) -> str:
    """What is answered to these pieces, up to the end of the connection."""
    address = urlsplit(api.url)
    with socket.create_connection((address.hostname, address.port), timeout=60) as client:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for piece in pieces:
            client.sendall(piece.encode("latin-1"))
        if half_close:
            client.shutdown(socket.SHUT_WR)
        data = b""
        while received := client.recv(1 << 16):
            data += received
    return data.decode("latin-1")


def statuses(answers: str) -> list[int]:
    return [int(part.split()[0]) for part in answers.split("HTTP/1.1 ")[1:]]


def test_requests_sent_in_advance_are_answered_in_their_order(api: LiveApi) -> None:
    ask = "{} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
    last = "GET /no HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"
    assert statuses(exchange(api, ask.format("GET /healthz") + ask.format("GET /nothing") + last)) == [200, 404, 404]


def test_a_request_may_come_byte_by_byte(api: LiveApi) -> None:
    assert statuses(exchange(api, *"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")) == [200]


def test_a_client_that_has_said_all_is_still_answered(api: LiveApi) -> None:
    assert statuses(exchange(api, "GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", half_close=True)) == [200]


def test_a_client_that_ends_amid_its_request_is_not_answered(api: LiveApi) -> None:
    assert exchange(api, "GET /healthz HTTP/1.1\r\nHo", half_close=True) == ""
    assert exchange(api, f"POST /unsubscribe HTTP/1.1\r\n{FORM}Content-Length: 9\r\n\r\nem", half_close=True) == ""


@pytest.mark.parametrize("size", [1, 7, 5000])
def test_a_body_in_chunks_is_read_and_the_next_request_begins_after_it(api: LiveApi, size: int) -> None:
    body = "email=someone%40example.com"
    chunks = "".join(
        f"{len(body[at : at + size]):x};a=b\r\n{body[at : at + size]}\r\n" for at in range(0, len(body), size)
    )
    head = f"POST /unsubscribe HTTP/1.1\r\n{FORM}Authorization: Bearer {KEY}\r\nTransfer-Encoding: chunked\r\n\r\n"
    end = "GET /nothing HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"
    assert statuses(exchange(api, head, chunks + "0\r\nX-Sum: a\r\n\r\n" + end)) == [200, 404]


@pytest.mark.parametrize(
    "chunks", ["x\r\n", "-1\r\n\r\n", "0x1\r\na\r\n0\r\n\r\n", "1\r\nab\r\n0\r\n\r\n", "1" * 20_000]
)
def test_a_body_in_broken_chunks_is_refused(api: LiveApi, chunks: str) -> None:
    head = f"POST /unsubscribe HTTP/1.1\r\n{FORM}Authorization: Bearer {KEY}\r\nTransfer-Encoding: chunked\r\n\r\n"
    assert statuses(exchange(api, head + chunks))[0] == 400


@pytest.mark.parametrize(
    "request_text",
    [
        "POST / HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
        "GET / HTTP/1.1\nHost: a\n\n",
        "GET / HTTP/1.1\r\nHost: a\nX: ",
        "\r\n\r\n",
        "nonsense\r\n\r\n",
    ],
)
def test_what_can_be_read_in_two_ways_is_refused_at_once(api: LiveApi, request_text: str) -> None:
    head, _, body = exchange(api, request_text).partition("\r\n\r\n")
    assert statuses(head) == [400]
    assert json.loads(body)["code"] == "invalid_request"


def test_a_head_without_end_is_refused_before_it_grows(api: LiveApi) -> None:
    head, _, body = exchange(api, "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n" + "X-Large: a\r\n" * 3000).partition(
        "\r\n\r\n"
    )
    assert statuses(head) == [431]
    assert "32 KiB" in json.loads(body)["detail"]


def test_a_large_body_is_refused_before_it_is_sent(api: LiveApi) -> None:
    head = "POST {} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: {}\r\n{}\r\n"
    key = f"Authorization: Bearer {KEY}\r\n"
    assert statuses(exchange(api, head.format("/process_images", 5_000_000, ""))) == [401]
    assert statuses(exchange(api, head.format("/process_images", 90_000_000, key))) == [413]
    assert statuses(exchange(api, head.format("/nothing", 5_000_000, key))) == [404]


def test_a_client_is_told_to_go_on_only_where_its_body_is_wanted(api: LiveApi) -> None:
    head = "POST /unsubscribe HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: {}\r\nExpect: 100-continue\r\n"
    head += f"Authorization: Bearer {KEY}\r\nConnection: close\r\nContent-Length: 27\r\n\r\n"
    assert statuses(exchange(api, head.format("text/plain"))) == [415]
    wanted = head.format("application/x-www-form-urlencoded")
    address = urlsplit(api.url)
    with socket.create_connection((address.hostname, address.port), timeout=60) as client:
        client.sendall(wanted.encode())
        assert client.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        client.sendall(b"email=someone%40example.com")
        assert client.recv(12) == b"HTTP/1.1 200"


def test_a_large_answer_comes_whole_to_a_slow_reader(redis_url: str, tmp_path: Path) -> None:
    picture = encode(photograph(100, 100)) + bytes(range(256)) * 20_000
    with live_api(redis_url, tmp_path, {}) as api:
        answer = requests.post(f"{api.url}/process_images", files={"images": ("a.jpg", picture)}, timeout=60)
        path = f"{api.url}/images/{answer.json()['group_id']}/0?original=true"
        for headers, wanted in (({}, picture), ({"Range": "bytes=10-4999999"}, picture[10:5_000_000])):
            with requests.get(path, headers=headers, stream=True, timeout=60) as response:
                assert b"".join(response.iter_content(1000)) == wanted
