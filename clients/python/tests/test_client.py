"""The client against a server that misbehaves."""

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from email.message import Message
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from darkroom import (
    AccessDeniedError,
    BrokenDownloadError,
    Client,
    Item,
    NotFoundError,
    TooManyRequestsError,
    UnexpectedAnswerError,
    UnreachableError,
    Upload,
)

PICTURE = bytes(range(256)) * 4000
ETAG = f'"{sha256(PICTURE).hexdigest()}"'
GROUP = {
    "group_id": "g", "state": "processing", "total": 1, "completed": 0, "failed": 0, "cancelled": 0, "expired": 0,
    "created_at": "2026-11-25T02:09:27Z", "finished_at": None, "expires_at": None, "outputs": [],
}  # fmt: skip
ENDED = GROUP | {"state": "completed", "completed": 1}


@dataclass(frozen=True, slots=True)
class Seen:
    """A request as it came."""

    command: str
    path: str
    headers: Message
    body: bytes


class Handler(BaseHTTPRequestHandler):
    """Answers each request as the test says."""

    protocol_version = "HTTP/1.1"
    server: "Server"

    def do(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.seen.append(Seen(self.command, self.path, self.headers, body))
        self.server.answers.pop(0)(self)

    do_GET = do_HEAD = do_POST = do_DELETE = do  # noqa: N815

    def answer(self, status: int, body: bytes = b"", **headers: str) -> None:
        self.send_response(status)
        for name, value in ({"Content-Length": str(len(body))} | headers).items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def cut_off(self) -> None:
        self.close_connection = True
        self.connection.shutdown(2)

    def log_message(self, *arguments: object) -> None:
        """Say nothing."""


class Server(ThreadingHTTPServer):
    """A server whose answers a test writes down."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers: list[Callable[[Handler], None]] = []
        self.seen: list[Seen] = []


@dataclass
class Served:
    """A server and its client."""

    server: Server
    client: Client
    seen: list[Seen] = field(init=False)

    def __post_init__(self) -> None:
        self.seen = self.server.seen

    def will(self, *answers: Callable[[Handler], None]) -> None:
        self.server.answers += answers


@pytest.fixture
def served() -> Iterator[Served]:
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        with Client(f"http://127.0.0.1:{server.server_address[1]}/below", "key", retry_for=10) as client:
            yield Served(server, client)
        server.shutdown()
        thread.join()


def says(status: int, body: object, **headers: str) -> Callable[[Handler], None]:
    kind = "application/json" if status < 400 else "application/problem+json"
    return lambda handler: handler.answer(status, json.dumps(body).encode(), Content_Type=kind, **headers)


def problem(status: int, detail: str, code: str, **headers: str) -> Callable[[Handler], None]:
    return says(status, {"status": status, "detail": detail, "code": code}, **headers)


def stream(*events: tuple[str, str, object], then_cut: bool = False) -> Callable[[Handler], None]:
    def send(handler: Handler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Type", "text/event-stream")
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        pieces = [b"retry: 10\n\n"]
        pieces += [
            f"event: {name}\nid: {number}\ndata: {json.dumps(data)}\n\n".encode() for name, number, data in events
        ]
        for piece in pieces:
            handler.wfile.write(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
            handler.wfile.flush()
        if then_cut:
            handler.cut_off()
        else:
            handler.wfile.write(b"0\r\n\r\n")

    return send


def test_a_request_whose_answer_was_lost_is_sent_again_with_the_same_idempotency_key(served: Served) -> None:
    served.will(Handler.cut_off, says(202, {"group_id": "g", "total": 1}))
    upload = Upload("1" * 32, "png", 1, 1, 1)
    assert served.client.submit([Item(upload, "a.png")]).group_id == "g"
    first, second = served.seen
    assert first.path == "/below/process_images"
    assert first.headers["Idempotency-Key"] == second.headers["Idempotency-Key"]
    assert first.headers["Authorization"] == "Bearer key"


def test_retry_after_is_waited_for_and_not_where_it_is_too_long(served: Served) -> None:
    served.will(problem(503, "Busy.", "queue_unavailable", Retry_After="0"), says(200, {"status": "ready"}))
    assert served.client.ready()
    served.will(problem(429, "Too many emails requested.", "too_many_emails", Retry_After="3600"))
    with pytest.raises(TooManyRequestsError, match=r"^Too many emails requested\.$") as caught:
        served.client.subscribe("ada@example.org")
    assert (caught.value.status, caught.value.code, caught.value.retry_after) == (429, "too_many_emails", 3600)


def test_what_must_not_be_done_twice_is_not_sent_again(served: Served) -> None:
    served.will(Handler.cut_off)
    with pytest.raises(UnreachableError, match=r"^Cannot reach http.*\.$"):
        served.client.retry("g")
    assert len(served.seen) == 1


def test_errors_are_sentences(served: Served) -> None:
    served.will(
        problem(404, "No such group. It may have expired.", "group_not_found"),
        problem(401, "Send an API key.", "api_key_required"),
        lambda handler: handler.answer(200, b"<html>", Content_Type="text/html"),
        says(200, ["something else"]),
    )
    with pytest.raises(NotFoundError, match=r"^No such group\. It may have expired\.$"):
        served.client.status("g")
    with pytest.raises(AccessDeniedError, match="DARKROOM_API_KEY"):
        served.client.presets()
    with pytest.raises(UnexpectedAnswerError, match="Check its address"):
        served.client.status("g")
    with pytest.raises(UnexpectedAnswerError, match="does not know"):
        served.client.status("g")


def test_a_server_that_is_not_there_is_said_at_once() -> None:
    with Client("http://127.0.0.1:1", retry_for=0) as client, pytest.raises(UnreachableError, match="refused"):
        client.ready()


def test_an_event_stream_goes_on_where_it_was_lost(served: Served) -> None:
    served.will(
        stream(("status", "1", GROUP), then_cut=True),
        stream(("closing", "1", {"detail": "The server stops."})),
        stream(("status", "2", ENDED), ("end", "3", ENDED)),
    )
    events = list(served.client.events("g"))
    assert [(event.kind, event.event_id) for event in events] == [("status", "1"), ("status", "2"), ("end", "3")]
    assert [request.headers["Last-Event-ID"] for request in served.seen] == [None, "1", "1"]


def partly(handler: Handler) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", str(len(PICTURE)))
    handler.send_header("ETag", ETAG)
    handler.end_headers()
    handler.wfile.write(PICTURE[:300_000])
    handler.wfile.flush()
    handler.cut_off()


def rest(handler: Handler) -> None:
    start = int(handler.headers["Range"].removeprefix("bytes=").removesuffix("-"))
    whole = f"bytes {start}-{len(PICTURE) - 1}/{len(PICTURE)}"
    handler.answer(206, PICTURE[start:], ETag=ETAG, Content_Range=whole)


def test_a_download_that_breaks_off_goes_on_by_range(served: Served, tmp_path: Path) -> None:
    served.will(partly, rest)
    assert served.client.download("g", 0, tmp_path / "a.jpg")
    assert (tmp_path / "a.jpg").read_bytes() == PICTURE
    assert served.seen[1].headers["If-Range"] == ETAG
    assert int(served.seen[1].headers["Range"][6:-1]) > 0
    assert [file.name for file in tmp_path.iterdir()] == ["a.jpg"]


def test_a_part_of_an_earlier_run_is_gone_on_with_and_a_complete_file_not_fetched(
    served: Served, tmp_path: Path
) -> None:
    (tmp_path / ".a.jpg.part").write_bytes(PICTURE[:1000])
    served.will(lambda handler: handler.answer(200, ETag=ETAG), rest)
    assert served.client.download("g", 0, tmp_path / "a.jpg", size=len(PICTURE))
    assert [request.command for request in served.seen] == ["HEAD", "GET"]
    assert (tmp_path / "a.jpg").read_bytes() == PICTURE

    served.will(lambda handler: handler.answer(304, ETag=ETAG))
    assert not served.client.download("g", 0, tmp_path / "a.jpg", size=len(PICTURE))
    assert served.seen[-1].headers["If-None-Match"] == ETAG


def test_a_damaged_download_replaces_nothing(served: Served, tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(b"before")
    served.will(*[lambda handler: handler.answer(200, b"damaged", ETag=ETAG)] * 6)
    with pytest.raises(BrokenDownloadError, match=r"damaged"):
        served.client.download("g", 0, tmp_path / "a.jpg")
    assert [file.name for file in tmp_path.iterdir()] == ["a.jpg"]
    assert (tmp_path / "a.jpg").read_bytes() == b"before"


def test_an_upload_is_streamed_and_begun_again_where_it_fails(served: Served, tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(PICTURE)
    made = {"image_id": "1" * 32, "format": "jpeg", "width": 1, "height": 1, "bytes": len(PICTURE)}
    served.will(problem(503, "Busy.", "storage_unavailable", Retry_After="0"), says(201, made))
    told: list[int] = []
    assert served.client.upload(tmp_path / "a.jpg", on_bytes=told.append).image_id == "1" * 32
    assert [request.body for request in served.seen] == [PICTURE, PICTURE]
    assert sum(told) == len(PICTURE)
