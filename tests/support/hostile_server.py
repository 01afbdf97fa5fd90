"""A web server that misbehaves as told, over plain sockets: nothing corrects what it says."""

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Received:
    """A request as it came."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes = b""


Answer = bytes | Callable[[socket.socket, Received], None]
"""Bytes to answer with, or what to do with the connection."""


def answer(status: int = 200, body: bytes = b"", **headers: str) -> bytes:
    """A sound answer. Underscores in the names of headers stand for dashes."""
    lines = {"Content_Length": str(len(body))} | headers
    head = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in lines.items())
    return f"HTTP/1.1 {status} Status\r\n{head}\r\n".encode() + body


def redirect(location: str, status: int = 302) -> bytes:
    """An answer that leads elsewhere."""
    return answer(status, Location=location)


@dataclass
class HostileServer:
    """Answers each path as told, one thread for each connection."""

    host: str
    port: int
    scheme: str
    answers: dict[str, Answer] = field(default_factory=dict)
    received: list[Received] = field(default_factory=list)
    closing: threading.Event = field(default_factory=threading.Event)

    def url(self, path: str = "/", *, host: str | None = None) -> str:
        """The URL of a path, optionally under another name."""
        return f"{self.scheme}://{host or self.host}:{self.port}{path}"

    def forever(self, begin: bytes, piece: bytes, *, pause: float = 0.0) -> Callable[[socket.socket, Received], None]:
        """Send the beginning, and then the piece again and again until somebody hangs up."""

        def send(connection: socket.socket, _: Received) -> None:
            connection.sendall(begin)
            while not self.closing.wait(pause):
                connection.sendall(piece)

        return send

    def silent(self, connection: socket.socket, _: Received) -> None:
        """Say nothing until the server is closed, and then hang up."""
        self.closing.wait()
        connection.close()

    def serve(self, connection: socket.socket) -> None:
        """Read a request and answer it."""
        with connection, suppress(OSError):
            received = _read(connection)
            self.received.append(received)
            told = self.answers.get(received.path.partition("?")[0], answer(404))
            if isinstance(told, bytes):
                connection.sendall(told)
            else:
                told(connection, received)


@contextmanager
def hostile_server(host: str = "127.0.0.1", tls: ssl.SSLContext | None = None) -> Iterator[HostileServer]:
    """A server on a free port of this address of the loopback network."""
    with socket.create_server((host, 0)) as listener:
        server = HostileServer(host, listener.getsockname()[1], "https" if tls else "http")
        threading.Thread(target=_accept, args=(listener, server, tls), daemon=True).start()
        try:
            yield server
        finally:
            server.closing.set()
            with suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)


def _accept(listener: socket.socket, server: HostileServer, tls: ssl.SSLContext | None) -> None:
    with suppress(OSError):
        while True:
            connection, _ = listener.accept()
            threading.Thread(target=_serve, args=(connection, server, tls), daemon=True).start()


def _serve(connection: socket.socket, server: HostileServer, tls: ssl.SSLContext | None) -> None:
    with connection, suppress(OSError):
        server.serve(tls.wrap_socket(connection, server_side=True) if tls else connection)


def _read(connection: socket.socket) -> Received:
    head = b""
    while b"\r\n\r\n" not in head:
        piece = connection.recv(65_536)
        if not piece:
            raise OSError("The client hung up.")
        head += piece
    head, _, body = head.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    method, path, _ = first.split(" ")
    headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    while len(body) < int(headers.get("content-length", 0)):
        body += connection.recv(65_536)
    return Received(method, path, headers, body)
