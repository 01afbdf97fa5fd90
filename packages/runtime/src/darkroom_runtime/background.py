"""Threads that others rely on: no error ends one, so nobody is left waiting for a thread that is gone."""

import os
import signal
import threading
from collections.abc import Callable

import structlog

from darkroom_runtime.redis_client import UNAVAILABLE

PAUSE = 1.0
"""Seconds until a step that failed is done again."""

_log = structlog.get_logger(__name__)


def keep_doing(
    name: str, step: Callable[[], None], until: threading.Event, *, pause: float = PAUSE
) -> threading.Thread:
    """Start a thread that does a step over and over.

    Whatever a step raises is logged, and the next one follows after a pause. What is no error, such as a
    ``SystemExit``, asks the whole process to end, so that its supervisor starts it again.

    Args:
        name: of the thread, in logs.
        step: what to do; it waits for its next turn itself.
        until: ends the thread, once the step at hand has returned.
        pause: seconds to wait after an error.
    """
    thread = threading.Thread(target=_run, args=(name, step, until, pause), name=name, daemon=True)
    thread.start()
    return thread


def attempt(name: str, step: Callable[[], None]) -> None:
    """Do one step. An error is logged under the name."""
    try:
        step()
    except Exception as error:  # noqa: BLE001 - whatever it is, somebody relies on what comes next
        _report(name, error)


def _run(name: str, step: Callable[[], None], until: threading.Event, pause: float) -> None:
    try:
        while not until.is_set():
            try:
                step()
            except Exception as error:  # noqa: BLE001 - whatever it is, somebody relies on the next step
                if not until.is_set():  # else what the step works with is being closed
                    _report(name, error)
                until.wait(pause)
    except BaseException:
        os.kill(os.getpid(), signal.SIGTERM)
        raise


def _report(name: str, error: Exception) -> None:
    if isinstance(error, UNAVAILABLE):
        _log.warning("background_step_failed", thread=name, reason=str(error))
    else:
        _log.error("background_step_failed", thread=name, reason=str(error), exc_info=error)
