"""Clients that never come to an end: they stop in the middle, send a byte at a time, or do not take their answer."""

import multiprocessing
import selectors
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from urllib.parse import urlsplit

PROCESSES = multiprocessing.get_context("spawn")
DRIP = 1.0
"""Seconds between two bytes."""


@dataclass(frozen=True, slots=True)
class Slowness:
    """How a client is slow.

    Attributes:
        first: what it sends at once.
        drip: what it then sends, a byte of it each second, over and over. Nothing where it is empty.
        reads: whether it takes what it is sent.
    """

    first: bytes
    drip: bytes = b""
    reads: bool = True


_HEAD = b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n"
_FORM = b"Content-Type: multipart/form-data; boundary=slow\r\n"
_BODY = b'--slow\r\nContent-Disposition: form-data; name="images"; filename="a.jpg"\r\n\r\n' + bytes(100_000)
_UPLOAD = b"POST /process_images HTTP/1.1\r\nHost: 127.0.0.1\r\n" + _FORM
_JSON = b"POST /process_images HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"

KINDS = {
    "say nothing": Slowness(b""),
    "stop in the head": Slowness(_HEAD + b"X-Slow: "),
    "drip the head": Slowness(_HEAD + b"X-Slow: ", drip=b"x"),
    "stop in a small body": Slowness(_JSON + b'Content-Length: 100\r\n\r\n{"images":'),
    "stop in a large body": Slowness(_UPLOAD + b"Content-Length: 25000000\r\n\r\n" + _BODY),
    "drip a large body": Slowness(_UPLOAD + b"Content-Length: 25000000\r\n\r\n" + _BODY, drip=b"x"),
    "drip a body in chunks": Slowness(_UPLOAD + b"Transfer-Encoding: chunked\r\n\r\n", drip=b"1\r\nx\r\n"),
    "stop before 100-continue": Slowness(_UPLOAD + b"Content-Length: 25000000\r\nExpect: 100-continue\r\n\r\n"),
}


def never_reads(path: str) -> Slowness:
    """Asks for something large and takes none of it."""
    return Slowness(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode(), reads=False)


def _open(url: str, slowness: Slowness) -> socket.socket:
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.settimeout(30)
    client.connect((urlsplit(url).hostname, urlsplit(url).port))
    client.setblocking(False)
    if slowness.first:
        client.send(slowness.first)
    return client


def _be_slow(url: str, slowness: Slowness, number: int, report: Connection) -> None:
    """Keep so many of them at it, each anew when it is sent away, until told to stop."""
    with selectors.DefaultSelector() as selector:
        for _ in range(number):
            selector.register(_open(url, slowness), selectors.EVENT_READ if slowness.reads else selectors.EVENT_WRITE)
        report.send(None)
        position, dripped = 0, time.monotonic()
        while not report.poll(0 if slowness.reads else 0.5):
            for key, _ in selector.select(0.2) if slowness.reads else ():
                if _is_closed(key.fileobj):  # type: ignore[arg-type]  # it is a socket
                    selector.unregister(key.fileobj)
                    key.fileobj.close()  # type: ignore[union-attr]
                    selector.register(_open(url, slowness), selectors.EVENT_READ)
            if slowness.drip and time.monotonic() - dripped > DRIP:
                byte = slowness.drip[position % len(slowness.drip)].to_bytes()
                position, dripped = position + 1, time.monotonic()
                for key in selector.get_map().values():
                    _drip(key.fileobj, byte)  # type: ignore[arg-type]
        for key in list(selector.get_map().values()):
            key.fileobj.close()  # type: ignore[union-attr]


def _is_closed(client: socket.socket) -> bool:
    try:
        return not client.recv(1 << 16)
    except BlockingIOError:
        return False
    except OSError:
        return True


def _drip(client: socket.socket, byte: bytes) -> None:
    try:
        client.send(byte)
    except OSError:  # closed, which the next look at it will tell, or its buffer is full
        return


@contextmanager
def slow_clients(url: str, slowness: Slowness, number: int) -> Iterator[None]:
    """Let so many of them be connected within the block, from another process."""
    ours, theirs = PROCESSES.Pipe()
    process = PROCESSES.Process(target=_be_slow, args=(url, slowness, number, theirs))
    process.start()
    try:
        ours.recv()
        yield
    finally:
        ours.send("stop")
        process.join()
