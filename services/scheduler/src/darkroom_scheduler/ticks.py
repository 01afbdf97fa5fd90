"""RedBeat's scheduler, which touches a file at each tick, so that a health check can see that it runs."""

import tempfile
from pathlib import Path
from typing import Any

from darkroom_runtime.sending import stamp
from redbeat import RedBeatScheduler

MARK = Path(tempfile.gettempdir()) / "darkroom-scheduler-tick"
"""Touched at each tick. Missing while this scheduler waits for another one's lock."""


class Scheduler(RedBeatScheduler):  # type: ignore[misc]  # RedBeat has no types
    """Any number of these may run: the one that holds the lock in Redis sends tasks, the others wait for it."""

    def __init__(self, *args: object, **kwargs: object) -> None:
        MARK.unlink(missing_ok=True)
        super().__init__(*args, **kwargs)

    def send_task(self, *args: Any, headers: dict[str, Any], **options: Any) -> Any:
        """Send a message with the headers that every message carries."""
        return super().send_task(*args, headers=stamp() | headers, **options)

    def tick(self, *args: object, **kwargs: object) -> float:
        """Send what is due, and record the tick."""
        seconds: float = super().tick(*args, **kwargs)
        MARK.touch()
        return seconds
