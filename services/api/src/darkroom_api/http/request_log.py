"""One id for each request, and one line in the log."""

import re
import secrets
import time

import structlog
from flask import Flask, Response, g, request

HEADER = "X-Request-ID"

_MONITORED = {"health.healthz", "health.readyz", "health.prometheus", "page.notice"}
_ACCEPTED = re.compile(r"[A-Za-z0-9._-]{8,128}")
_log = structlog.get_logger("darkroom_api.requests")


def init_request_log(app: Flask) -> None:
    """Name every request, bind its name to every line logged for it, and log how it was answered."""
    app.before_request(_begin)
    app.after_request(_log_answer)
    app.teardown_request(_end)


def _begin() -> None:
    given = request.headers.get(HEADER, "")
    g.request_id = given if _ACCEPTED.fullmatch(given) else secrets.token_hex(16)
    g.arrived = time.perf_counter()
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(request_id=g.request_id)


def _log_answer(response: Response) -> Response:
    response.headers[HEADER] = g.request_id
    # A monitor asks every few seconds: that all is well needs no line.
    log = _log.debug if request.endpoint in _MONITORED and response.status_code < 400 else _log.info
    # The route, not the path: ids and tokens in paths are as good as passwords.
    log(
        "request",
        method=request.method,
        route=request.url_rule.rule if request.url_rule else None,
        status=response.status_code,
        milliseconds=round((time.perf_counter() - g.arrived) * 1000, 1),
        address=request.remote_addr,
    )
    return response


def _end(_error: BaseException | None) -> None:
    structlog.contextvars.clear_contextvars()
