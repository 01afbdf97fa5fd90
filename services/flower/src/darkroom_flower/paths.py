"""Answering below a path, whether a proxy strips the path or keeps it."""

from typing import Any

from flower.app import Flower
from tornado.httputil import HTTPServerRequest


def answer_without_path(base: str) -> None:
    """Answer requests that come without this path as if they had it: Flower itself knows its pages only below it."""
    find_handler = Flower.find_handler

    def find_below(flower: Flower, request: HTTPServerRequest, **found: Any) -> Any:
        path = request.path or "/"
        if not path.startswith(f"{base}/"):
            request.path = f"{base}/" if path == base else f"{base}{path}"
        return find_handler(flower, request, **found)

    Flower.find_handler = find_below
