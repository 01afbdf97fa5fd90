"""A server of S3 that refuses: everything, or some requests of those that it passes on to a real one."""

import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self

import requests

_PATIENCE = 30.0


class BrokenS3:
    """The server, as a context manager.

    Args:
        status: of its refusals.
        code: of its refusals, as S3 has them.
        before: the address of a real server, for what is not refused.
        refused: a part of the address of what is refused; everything is where it is empty.
        tls: the certificate of a server that is asked with TLS.
    """

    def __init__(
        self, status: int, code: str, *, before: str = "", refused: str = "", tls: ssl.SSLContext | None = None
    ) -> None:
        self.is_well = False
        """Whether it refuses nothing any more."""
        self.refusals = 0
        """How often it has refused."""
        self.withdrawn: list[str] = []
        """The addresses of uploads in parts that were withdrawn."""
        broken = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _handle(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                if refused in self.path and not broken.is_well:
                    broken.refusals += 1
                    self._answer(status, f"<Error><Code>{code}</Code></Error>".encode())
                    return
                if self.command == "DELETE" and "uploadId=" in self.path:
                    broken.withdrawn.append(self.path)
                sent = {name: value for name, value in self.headers.items() if name.lower() != "connection"}
                answer = requests.request(self.command, before + self.path, headers=sent, data=body, timeout=_PATIENCE)
                self._answer(answer.status_code, answer.content, dict(answer.headers))

            def _answer(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
                self.send_response(status)
                for name, value in (headers or {}).items():
                    if name.lower() not in {"content-length", "connection", "server", "date"}:
                        self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(body)

            do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = _handle  # noqa: N815 - as the base class names them

            def log_message(self, *_: object) -> None:
                """Keep silent."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        if tls is not None:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        self.url = f"http{'s' if tls else ''}://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, name="broken S3", daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
