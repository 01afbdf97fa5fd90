"""A limit for the time that a block may take."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


class DeadlineError(Exception):
    """The block took too long."""


@contextmanager
def deadline(seconds: float) -> Iterator[None]:
    """Interrupt a block that takes longer. For the main thread of a process, one block at a time.

    Celery's own limit counts from when a task comes to its process, and so counts what an image has to wait for.

    Raises:
        DeadlineError: it took longer. Code is interrupted only once it comes back to the interpreter.
    """

    def interrupt(*_: Any) -> None:
        raise DeadlineError

    before = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
