"""Whether Flower sees anything: ``/readyz``. Flower's own ``/healthcheck`` says only that it runs."""

from typing import Any

from darkroom_runtime.redis_client import connect, is_answering
from flower.app import Flower
from redis import Redis
from tornado.httputil import HTTPServerRequest
from tornado.ioloop import IOLoop
from tornado.web import RequestHandler

from darkroom_flower.settings import FlowerSettings

PATH = "/readyz"


class Readiness(RequestHandler):
    """Answers 200 while Redis answers and events are received, else 503 with a sentence."""

    def initialize(self, redis: Redis) -> None:
        self._redis = redis

    async def get(self) -> None:
        """Check both, without holding up other requests."""
        trouble = await IOLoop.current().run_in_executor(None, self._trouble)
        self.set_status(503 if trouble else 200)
        self.set_header("Content-Type", "text/plain; charset=utf-8")
        self.write(f"{trouble or 'ready'}\n")

    def data_received(self, chunk: bytes) -> None:
        """Read no body."""

    def _trouble(self) -> str | None:
        flower: Any = self.application
        if not flower.events.is_alive():
            return "Flower receives no events any more."
        return None if is_answering(self._redis) else "Redis does not answer."


def answer_readiness(settings: FlowerSettings) -> None:
    """Answer at ``/readyz``, before Flower looks for a page of its own."""
    redis = connect(settings, retries=0)
    find_handler = Flower.find_handler

    def find_readiness(flower: Flower, request: HTTPServerRequest, **found: Any) -> Any:
        if request.path == PATH:
            return flower.get_handler_delegate(request, Readiness, {"redis": redis})
        return find_handler(flower, request, **found)

    Flower.find_handler = find_readiness
