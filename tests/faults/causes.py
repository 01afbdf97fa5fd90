"""What makes faults: signals, and time."""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager


def kill(*pids: int) -> None:
    """End processes as a crash would."""
    for pid in pids:
        os.kill(pid, signal.SIGKILL)


@contextmanager
def frozen(pid: int) -> Iterator[None]:
    """Stop a process until the block ends."""
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def pass_time(seconds: float) -> None:
    """Let a fault last for so long."""
    threading.Event().wait(seconds)
