"""Where on this server things are. Paths, and no whole addresses, so that they hold under each of its names."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from flask import Flask

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


@dataclass(frozen=True, slots=True)
class Paths:
    """The paths that answers name."""

    base: str = ""
    """What each begins with, such as `/darkroom`. Empty where the API has its host to itself."""

    @property
    def page(self) -> str:
        return f"{self.base}/"

    def status(self, group_id: str) -> str:
        return f"{self.base}/status/{group_id}"

    def events(self, group_id: str) -> str:
        return f"{self.base}/events/{group_id}"

    def cancel(self, group_id: str) -> str:
        return f"{self.base}/cancel/{group_id}"

    def archive(self, group_id: str) -> str:
        return f"{self.base}/archive/{group_id}"

    def send_images(self, group_id: str) -> str:
        return f"{self.base}/send_images/{group_id}"

    def image(self, group_id: str, index: int, output: str = "") -> str:
        return f"{self.base}/images/{group_id}/{index}" + (f"?output={output}" if output else "")

    def upload(self, image_id: str) -> str:
        return f"{self.base}/images/{image_id}"

    def task(self, task_id: str) -> str:
        return f"{self.base}/tasks/{task_id}"


class _BelowPath:
    """Takes the path off where a proxy left it on, and lets Flask know of it."""

    def __init__(self, app: "WSGIApplication", base: str) -> None:
        self._app = app
        self._base = base

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        path: str = environ["PATH_INFO"]
        if f"{path}/".startswith(f"{self._base}/"):
            environ["PATH_INFO"] = path.removeprefix(self._base) or "/"
        environ["SCRIPT_NAME"] = self._base
        return self._app(environ, start_response)


def init_base_path(app: Flask, base: str) -> None:
    """Answer below this path, whether a proxy in front takes it off or leaves it on; without it, too."""
    if base:
        app.wsgi_app = _BelowPath(app.wsgi_app, base)  # type: ignore[method-assign]  # as Flask's documentation has it
