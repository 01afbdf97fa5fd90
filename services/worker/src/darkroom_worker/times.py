"""Where the time of an attempt goes."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


class Times:
    """Measures an attempt from now on, and each of its steps."""

    def __init__(self) -> None:
        self._began_at = time.time()
        self._steps: dict[str, float] = {}

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Measure a step, also one that fails."""
        began = time.monotonic()
        try:
            yield
        finally:
            self.add(name, time.monotonic() - began)

    def add(self, name: str, seconds: float, *, at_least: float = 0) -> None:
        """Note how long a step took, unless it is too short to be noted."""
        if seconds >= at_least:
            self._steps[name] = round(seconds, 3)

    def until_now(self) -> dict[str, Any]:
        """Return the times of an outcome, were the attempt to end now."""
        return {"began_at": round(self._began_at, 3), "ended_at": round(time.time(), 3), "steps": dict(self._steps)}
