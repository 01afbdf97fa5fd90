"""What a worker logs when it stops."""

from collections.abc import Mapping
from typing import Any

import structlog
from celery import signals
from celery.apps import worker

_log = structlog.get_logger(__name__)


def log_shutdown() -> None:
    """Log that a worker stops, in the place of Celery's advice to whoever sits at a terminal."""
    worker.safe_say = _say  # type: ignore[attr-defined]  # its stubs leave it out
    signals.worker_shutting_down.connect(_on_shutdown)


def _say(message: str, _stream: Any = None) -> None:
    if not message.startswith("worker: "):
        _log.info("celery_says", message=message)


def _on_shutdown(sig: str, how: str, **_: Mapping[str, Any]) -> None:
    _log.info("worker_stopping", signal=sig, shutdown=how.lower())
