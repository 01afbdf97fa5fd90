"""Turn every error into a problem document."""

import errno
from collections.abc import Mapping
from types import MappingProxyType

import structlog
from darkroom_contracts.problems import ProblemCode
from darkroom_records.groups import UnknownGroupError
from darkroom_runtime.redis_client import UNAVAILABLE, Trouble, trouble
from flask import Flask, Response, request
from kombu.exceptions import KombuError
from werkzeug.exceptions import HTTPException

from darkroom_api.http.problems import Problem, respond, unavailable, unknown_group

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}

_TROUBLES: Mapping[Trouble, str] = MappingProxyType(
    {
        Trouble.UNREACHABLE: "Service temporarily unavailable.",
        Trouble.FULL: "The queue is full (Redis is out of memory).",
        Trouble.READ_ONLY: "The queue is read-only (Redis is a replica).",
        Trouble.NOT_SAVING: "The queue cannot be saved (Redis cannot write to its disk).",
    }
)
_UNDONE = frozenset({"process_images.process_images", "process_images.blur"})
"""What leaves nothing behind when it is refused, even where Redis's answer was lost."""

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
    # A Redis that does not answer may have done what it was asked for.
    is_known = kind is not Trouble.UNREACHABLE or request.method in ("GET", "HEAD") or request.endpoint in _UNDONE
    sentence = f"{_TROUBLES[kind]} {'Nothing was changed; please retry.' if is_known else 'Please retry.'}"
    return respond(
        unavailable(sentence, ProblemCode.QUEUE_FULL if kind is Trouble.FULL else ProblemCode.QUEUE_UNAVAILABLE)
    )


def _storage_failed(error: OSError) -> Response:
    _log.error("storage_failed", reason=str(error), exc_info=error)
    if error.errno in _FULL:
        return respond(
            Problem(
                507, "The image storage is full. Nothing was kept; please retry later.", code=ProblemCode.STORAGE_FULL
            )
        )
    return respond(
        unavailable(
            "The image storage is unavailable. Nothing was kept; please retry.",
            ProblemCode.STORAGE_UNAVAILABLE,
        )
    )
