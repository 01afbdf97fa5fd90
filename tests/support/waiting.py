"""Waiting for a condition, with a limit, instead of sleeping."""

import threading
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def wait_for(condition: Callable[[], T], *, limit: float, what: str) -> T:
    """What the condition gives, as soon as it gives something true.

    Args:
        condition: asked about ten times a second.
        limit: seconds after which the test fails.
        what: is waited for, for the sentence it fails with.
    """
    pause = threading.Event()
    end = time.monotonic() + limit
    while not (found := condition()):
        assert time.monotonic() < end, f"waited {limit:g} s in vain for {what}"
        pause.wait(0.1)
    return found
