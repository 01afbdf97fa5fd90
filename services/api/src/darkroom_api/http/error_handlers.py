"""What becomes of an error: a problem document, whatever it was."""

import errno
from collections.abc import Mapping
from types import MappingProxyType

import structlog
from darkroom_contracts.problems import ProblemCode
from darkroom_records.groups import UnknownGroupError
from darkroom_runtime.redis_client import UNAVAILABLE, Trouble, trouble
from flask import Flask, Response
from kombu.exceptions import KombuError
from werkzeug.exceptions import HTTPException

from darkroom_api.http.problems import Problem, respond, unavailable, unknown_group

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}

_TROUBLES: Mapping[Trouble, str] = MappingProxyType(
    {
        Trouble.UNREACHABLE: "Service temporarily unavailable. Nothing was changed; please retry.",
        Trouble.FULL: "The queue is full (Redis is out of memory). Nothing was changed; please retry later.",
        Trouble.READ_ONLY: "The queue is read-only (Redis is a replica). Nothing was changed; please retry later.",
        Trouble.NOT_SAVING: "The queue cannot be saved (Redis cannot write to its disk). Nothing was changed; please "
        "retry later.",
    }
)

_log = structlog.get_logger(__name__)


def init_error_handlers(app: Flask) -> None:
    """Answer every error with a problem document."""
    app.register_error_handler(HTTPException, respond)
    app.register_error_handler(UnknownGroupError, lambda _: respond(unknown_group()))
    app.register_error_handler(OSError, _storage_failed)
    for kind in (*UNAVAILABLE, KombuError):
        app.register_error_handler(kind, _queue_failed)


def _queue_failed(error: Exception) -> Response:
    kind = trouble(error)
    if kind is Trouble.MISUSED:
        raise error
    _log.error("redis_unavailable", trouble=kind.name.lower(), reason=str(error))
    return respond(
        unavailable(_TROUBLES[kind], ProblemCode.QUEUE_FULL if kind is Trouble.FULL else ProblemCode.QUEUE_UNAVAILABLE)
    )


def _storage_failed(error: OSError) -> Response:
    _log.error("storage_failed", reason=str(error), exc_info=error)
    if error.errno in _FULL:
        return respond(
            Problem(
                507, "The storage for images is full. Nothing was kept; try again later.", code=ProblemCode.STORAGE_FULL
            )
        )
    return respond(
        unavailable(
            "The storage for images does not answer. Nothing was kept; try again in a moment.",
            ProblemCode.STORAGE_UNAVAILABLE,
        )
    )
