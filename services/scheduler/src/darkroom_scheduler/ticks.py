"""RedBeat's scheduler, which reports at each tick that it is well."""

import threading
from typing import Any

from darkroom_runtime.background import keep_doing
from darkroom_runtime.health import INTERVAL, HealthFile
from darkroom_runtime.redis_client import UNAVAILABLE, connect
from darkroom_runtime.sending import stamp
from darkroom_runtime.settings import load
from redbeat import RedBeatScheduler

from darkroom_scheduler.config import LOCK_TIMEOUT
from darkroom_scheduler.health import lock_is_held
from darkroom_scheduler.settings import SchedulerSettings


class Scheduler(RedBeatScheduler):  # type: ignore[misc]  # RedBeat has no types
    """Any number of these may run: the one that holds the lock in Redis sends tasks, the others wait for it."""

    def __init__(self, *args: object, **kwargs: object) -> None:
        self._health = HealthFile()
        self._redis = connect(load(SchedulerSettings), retries=0)
        self._ticks = threading.Event()
        super().__init__(*args, **kwargs)
        keep_doing("report_waiting", self._report_waiting, self._ticks)

    def send_task(self, *args: Any, headers: dict[str, Any], **options: Any) -> Any:
        """Send a message with the headers that every message carries."""
        return super().send_task(*args, headers=stamp() | headers, **options)

    def tick(self, *args: object, **kwargs: object) -> float:
        """Send what is due, and report the tick."""
        seconds: float = super().tick(*args, **kwargs)
        self._ticks.set()
        self._health.report(validity=LOCK_TIMEOUT)  # without a tick, the lock is lost by then
        return seconds

    def close(self) -> None:
        """Release the lock, and report nothing any more."""
        self._ticks.set()
        super().close()
        self._health.remove()

    def _report_waiting(self) -> None:
        """Report that another scheduler holds the lock, which RedBeat waits for without a word."""
        try:
            trouble = None if lock_is_held(self._redis) else "No scheduler holds the lock."
        except UNAVAILABLE:
            trouble = "Redis does not answer."
        if not self._ticks.is_set():
            self._health.report(trouble)
        self._ticks.wait(INTERVAL)
