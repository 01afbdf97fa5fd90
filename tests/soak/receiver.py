"""Receives webhooks, and gives out the originals that are fetched from URLs."""

import json
import threading
from collections import defaultdict
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

from standardwebhooks import Webhook
from standardwebhooks.webhooks import WebhookVerificationError

_HOST = "127.0.0.1"


class Receiver:
    """A web server, as a context manager. It refuses each seventh webhook the first time.

    Attributes:
        ids: of the webhooks that told of the end of each group, by its id.
        told: how often each webhook came and was taken, by its id.
        forged: how many had no valid signature.
    """

    def __init__(self, secret: str, originals: Mapping[str, bytes]) -> None:
        self._lock = threading.Lock()
        self._seen: set[str] = set()
        self._webhook = Webhook(secret)
        self.ids: dict[str, set[str]] = defaultdict(set)
        self.told: dict[str, int] = defaultdict(int)
        self.forged = 0
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self._answer(200, originals[self.path.removeprefix("/")])

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                self._answer(receiver.take(dict(self.headers), body))

            def _answer(self, status: int, body: bytes = b"") -> None:
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer((_HOST, 0), Handler)

    @property
    def url(self) -> str:
        return f"http://{_HOST}:{self._server.server_port}"

    def take(self, headers: dict[str, str], body: bytes) -> int:
        """Take a webhook. Answers with the status code."""
        with self._lock:
            webhook_id = headers["webhook-id"]
            try:
                self._webhook.verify(body, headers)
            except WebhookVerificationError:
                self.forged += 1
                return 400
            if webhook_id not in self._seen:
                self._seen.add(webhook_id)
                if len(self._seen) % 7 == 0:
                    return 503
            event = json.loads(body)
            self.told[webhook_id] += 1
            if event["type"] == "group.ended":
                self.ids[event["data"]["group_id"]].add(webhook_id)
            return 200

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
