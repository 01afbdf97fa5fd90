"""Keeping pages of others, open in a browser that reaches Flower, from reading or steering it."""

from typing import Any

from darkroom_runtime.browsers import is_cross_site, is_own_host
from flower.app import Flower
from tornado.httputil import HTTPServerRequest
from tornado.web import RequestHandler

from darkroom_flower.settings import FlowerSettings

_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


class Refusal(RequestHandler):
    """Answers a request that nobody but a page of others would send."""

    def initialize(self, sentence: str) -> None:
        self._sentence = sentence

    def check_xsrf_cookie(self) -> None:
        """Let every request through to its refusal."""

    def prepare(self) -> None:
        """Refuse the request, whatever its method."""
        self.set_status(403)
        self.set_header("Content-Type", "text/plain; charset=utf-8")
        self.finish(f"{self._sentence}\n")

    def data_received(self, chunk: bytes) -> None:
        """Read no body."""


def refuse_foreign_pages(settings: FlowerSettings) -> None:
    """Check requests before Flower finds a handler for them, its static files and its API included."""
    names = settings.own_names()
    find_handler = Flower.find_handler

    def find_own_handler(flower: Flower, request: HTTPServerRequest, **found: Any) -> Any:
        if reason := refusal(request, settings, names):
            return flower.get_handler_delegate(request, Refusal, {"sentence": reason})
        return find_handler(flower, request, **found)

    Flower.find_handler = find_own_handler


def refusal(request: HTTPServerRequest, settings: FlowerSettings, names: frozenset[str]) -> str | None:
    """Return why a request is refused, or None. With a login any Host will do: browsers send it to no other name."""
    if not settings.flower_login and not is_own_host(request.host, names):
        return "Flower is not known by the name in the Host header. Its names can be set: DARKROOM_ALLOWED_HOSTS."
    headers = request.headers
    if request.method not in _SAFE and is_cross_site(
        headers.get("Sec-Fetch-Site"), headers.get("Origin"), (request.host,)
    ):
        return "A page of another site sent this request."
    return None
