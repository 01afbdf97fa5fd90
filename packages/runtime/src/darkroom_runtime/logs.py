"""Structured logs, and the id of the request that each line belongs to."""

import io
import logging.config
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import structlog

from darkroom_runtime.log_lines import LineStream, StrayOutput, log_uncaught_exceptions
from darkroom_runtime.redaction import shorten_ids
from darkroom_runtime.routine import RoutineFilter
from darkroom_runtime.settings import Settings

REQUEST_ID = "request_id"
"""The message header in which the id of the HTTP request travels with a task."""


_taken_over = False


def take_over_process(settings: Settings, service: str) -> None:
    """Make a log line of all that this process and those it forks say: also of warnings, of exceptions that nobody
    catches, and, in JSON, of what is printed past the logs. Done once; later calls do nothing."""
    global _taken_over
    if _taken_over:
        return
    _taken_over = True
    configure(settings, service, LineStream())
    logging.captureWarnings(capture=True)
    log_uncaught_exceptions()
    if settings.log_format == "json":
        StrayOutput().start()


def configure(settings: Settings, service: str, stream: io.TextIOBase | None = None) -> None:
    """Send every log line of this process, its libraries' too, to a stream in one form: standard output by default."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        _naming(service),
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {
                "structured": {
                    "()": structlog.stdlib.ProcessorFormatter,
                    "foreign_pre_chain": shared,
                    "processors": [
                        structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                        _shorten_ids,
                        _renderer(settings.log_format),
                    ],
                }
            },
            "handlers": {
                "out": {
                    "class": "logging.StreamHandler",
                    "stream": stream or sys.stdout,
                    "formatter": "structured",
                    "filters": ["routine"],
                }
            },
            "filters": {"routine": {"()": RoutineFilter, "show": settings.log_level == "debug"}},
            "root": {"handlers": ["out"], "level": settings.log_level.upper()},
        }
    )


def _naming(service: str) -> structlog.typing.Processor:
    def add(_logger: Any, _method: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
        event.setdefault("service", service)
        return event

    return add


def _shorten_ids(_logger: Any, _method: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    # Last, so that it holds for messages of libraries and for tracebacks as well.
    return {name: value if name == "request_id" else shorten_ids(value) for name, value in event.items()}


def _renderer(form: str) -> structlog.typing.Processor:
    return structlog.processors.JSONRenderer() if form == "json" else structlog.dev.ConsoleRenderer(colors=False)


def current_request_id() -> str | None:
    """The id of the HTTP request that this thread works for, if it works for one."""
    return structlog.contextvars.get_contextvars().get("request_id")


@contextmanager
def bind_request_id(request_id: str | None) -> Iterator[None]:
    """Work for this request within the block: its log lines and the tasks sent from it carry the id."""
    with structlog.contextvars.bound_contextvars(**({"request_id": request_id} if request_id else {})):
        yield
