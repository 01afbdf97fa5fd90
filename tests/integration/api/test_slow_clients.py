"""Clients that never come to an end hold nobody up, and those that are merely slow come through."""

import base64
import io
import json
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests
from darkroom_contracts.ids import new_group_id
from darkroom_records.groups import GroupStore, NewImage
from PIL import Image
from redis import Redis
from support.event_stream import EventStream
from support.live_api import LiveApi, live_api
from support.pictures import encode, photograph
from support.slow_clients import KINDS, Slowness, never_reads, slow_clients
from support.waiting import wait_for

pytestmark = pytest.mark.alone

LONG = {"DARKROOM_HEADER_TIMEOUT": "300", "DARKROOM_TRANSFER_TIMEOUT": "300", "DARKROOM_API_THREADS": "2"}
"""Nobody is given up while the tests run, and two threads would soon be used up."""
SHORT = {"DARKROOM_HEADER_TIMEOUT": "1", "DARKROOM_TRANSFER_TIMEOUT": "2", "DARKROOM_MIN_TRANSFER_RATE": "20000"}
CLIENTS = 100


@pytest.fixture(scope="module")
def patient(redis_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveApi]:
    """An API that waits for a long time."""
    with live_api(redis_url, tmp_path_factory.mktemp("storage"), LONG) as api:
        yield api


@pytest.fixture(scope="module")
def strict(redis_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveApi]:
    """An API that waits for a second or two."""
    with live_api(redis_url, tmp_path_factory.mktemp("storage"), SHORT) as api:
        yield api


def large_answer(api: LiveApi) -> str:
    """The path of an answer that no socket holds as a whole."""
    picture = encode(photograph(100, 100)) + bytes(8_000_000)
    answer = requests.post(f"{api.url}/process_images", files={"images": ("a.jpg", picture)}, timeout=60)
    assert answer.status_code == 202, answer.text
    return f"/images/{answer.json()['group_id']}/0?original=true"


def connect(api: LiveApi) -> socket.socket:
    return socket.create_connection((urlsplit(api.url).hostname, urlsplit(api.url).port), timeout=60)


def read_all(client: socket.socket) -> bytes:
    """Everything up to the end of the connection."""
    data = b""
    try:
        while piece := client.recv(1 << 16):
            data += piece
    except ConnectionResetError:
        pass
    return data


def assert_answers(api: LiveApi) -> None:
    """A normal client is answered: one that asks for little, and one that uploads."""
    assert requests.get(f"{api.url}/healthz", timeout=60).ok
    picture = encode(photograph(400, 300))
    answer = requests.post(f"{api.url}/process_images", files={"images": ("a.jpg", picture)}, timeout=60)
    assert answer.status_code == 202, answer.text


@pytest.mark.parametrize("kind", KINDS)
def test_clients_that_do_not_finish_hold_nobody_up(patient: LiveApi, kind: str) -> None:
    with slow_clients(patient.url, KINDS[kind], CLIENTS):
        assert_answers(patient)


def test_clients_that_do_not_read_hold_nobody_up(patient: LiveApi) -> None:
    with slow_clients(patient.url, never_reads(large_answer(patient)), CLIENTS):
        assert_answers(patient)


def test_more_connections_than_are_taken_keep_no_new_one_out(redis_url: str, tmp_path: Path) -> None:
    with (
        live_api(redis_url, tmp_path, LONG | {"DARKROOM_MAX_CONNECTIONS": "20"}) as api,
        slow_clients(api.url, Slowness(b"", reads=False), CLIENTS),
    ):
        assert_answers(api)


def test_bodies_that_never_end_take_a_bounded_part_of_the_disk_and_keep_no_other_out(
    redis_url: str, tmp_path: Path
) -> None:
    stopping = b"POST /process_images HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
    stopping += b"Content-Length: 900000\r\n\r\n" + b" " * 300_000
    space = {"DARKROOM_UPLOAD_SPACE": "1000000", "DARKROOM_MAX_REQUEST_BYTES": "1000000"}
    with live_api(redis_url, tmp_path, LONG | space) as api, ExitStack() as stack:
        clients = [stack.enter_context(connect(api)) for _ in range(6)]
        for client in clients:
            client.sendall(stopping)
        head, _, body = read_all(clients[0]).partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 503 ")
        assert b"\r\nRetry-After: " in head
        assert json.loads(body)["code"] == "server_busy"
        picture = encode(photograph(100, 100)) + bytes(500_000)
        answer = requests.post(f"{api.url}/process_images", files={"images": ("a.jpg", picture)}, timeout=60)
        assert answer.status_code == 202, answer.text


def test_streams_and_long_polls_take_no_thread_from_other_requests(patient: LiveApi, groups: GroupStore) -> None:
    group_id = new_group_id()
    groups.create(group_id, [NewImage("a.jpg")], ())
    with ExitStack() as stack, ThreadPoolExecutor(10) as clients:
        for _ in range(10):
            stack.enter_context(EventStream(patient.url, group_id)).next()
        url = f"{patient.url}/status/{group_id}?wait=60"
        polls = [clients.submit(requests.get, url, timeout=90) for _ in range(10)]
        assert_answers(patient)
        assert not any(poll.done() for poll in polls)
        groups.cancel(group_id)
        assert [poll.result().json()["state"] for poll in polls] == ["cancelled"] * 10


@pytest.mark.parametrize(
    "begun",
    [b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: a", b"POST /blur HTTP/1.1\r\nContent-Length: 9\r\n\r\na"],
)
def test_what_does_not_arrive_in_time_is_answered_with_408(strict: LiveApi, begun: bytes) -> None:
    with connect(strict) as client:
        client.sendall(begun)
        head, _, body = read_all(client).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 408 ")
    assert json.loads(body)["code"] == "request_timeout"


def test_a_body_that_drips_is_given_up_although_it_never_pauses(strict: LiveApi) -> None:
    with connect(strict) as client:
        client.sendall(b"POST /process_images HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n")
        client.sendall(b"Content-Length: 1000000\r\n\r\n")
        client.settimeout(0.1)
        answer, end = b"", time.monotonic() + 60
        while not answer and time.monotonic() < end:
            client.sendall(b" ")
            try:
                answer = client.recv(1 << 16)
            except TimeoutError:
                continue
    assert answer.startswith(b"HTTP/1.1 408 ")


def test_an_answer_that_nobody_takes_is_given_up(strict: LiveApi) -> None:
    path = large_answer(strict)
    with connect(strict) as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.sendall(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
        wait_for(lambda: not is_established(client), limit=60, what="the server to break off")


def is_established(client: socket.socket) -> bool:
    """Whether the other side still has the connection open (tcp(7))."""
    established = 1
    return client.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0] == established


def test_an_honest_slow_upload_comes_through(strict: LiveApi) -> None:
    picture = encode(photograph(100, 100)) + bytes(600_000)
    request = requests.Request("POST", f"{strict.url}/process_images", files={"images": ("a.jpg", picture)}).prepare()
    assert isinstance(request.body, bytes)
    begun, rate = time.monotonic(), 100_000
    with connect(strict) as client:
        headers = "".join(f"{name}: {value}\r\n" for name, value in request.headers.items())
        client.sendall(
            f"POST /process_images HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n{headers}\r\n".encode()
        )
        for position in range(0, len(request.body), rate // 10):
            time.sleep(max(0.0, begun + position / rate - time.monotonic()))
            client.sendall(request.body[position : position + rate // 10])
        assert read_all(client).startswith(b"HTTP/1.1 202 ")
    assert time.monotonic() - begun > 5  # longer than a body may stand still


def post_json(api: LiveApi, images: int) -> requests.Response:
    """Send images of one pixel, all in one JSON body. Where there are 600, it is too large to come in with the head."""
    file = io.BytesIO()
    Image.new("RGB", (1, 1)).save(file, "PNG")
    body = {"images": [base64.b64encode(file.getvalue()).decode()] * images}
    return requests.post(f"{api.url}/process_images", json=body, timeout=120)


def test_json_bodies_that_wait_for_memory_for_long_are_refused(redis_url: str, tmp_path: Path) -> None:
    # A byte of memory means one body at a time, and the first of them waits for Redis.
    settings = {"DARKROOM_JSON_MEMORY": "1", "DARKROOM_JSON_WAIT": "0.1", "DARKROOM_API_THREADS": "2"}
    redis = Redis.from_url(redis_url)
    with live_api(redis_url, tmp_path, settings) as api, ThreadPoolExecutor(4) as clients:
        redis.client_pause(60_000, all=False)
        try:
            answers = [clients.submit(post_json, api, 600) for _ in range(4)]
            refused = next(as_completed(answers, timeout=60)).result()
        finally:
            redis.client_unpause()
    assert refused.status_code == 503, refused.text
    assert refused.json()["code"] == "server_busy"
    assert int(refused.headers["Retry-After"]) > 0


def test_json_bodies_that_wait_are_answered_in_the_end(redis_url: str, tmp_path: Path) -> None:
    settings = {"DARKROOM_JSON_MEMORY": "1", "DARKROOM_JSON_WAIT": "300", "DARKROOM_API_THREADS": "2"}
    with live_api(redis_url, tmp_path, settings) as api, ThreadPoolExecutor(4) as clients:
        answers = [clients.submit(post_json, api, 600) for _ in range(3)]
        assert {answer.result().status_code for answer in answers} == {202}


@pytest.mark.parametrize("value", ["1", "{}", '"",[]'])
def test_json_of_millions_of_values_is_refused_before_it_is_read(patient: LiveApi, value: str) -> None:
    body = '{"images":[' + f"{value}," * 1_000_000 + "1]}"
    answer = requests.post(
        f"{patient.url}/process_images", body, headers={"Content-Type": "application/json"}, timeout=60
    )
    assert (answer.status_code, answer.json()["code"]) == (413, "request_too_large")
