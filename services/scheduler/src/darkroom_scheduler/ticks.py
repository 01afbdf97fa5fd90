"""RedBeat's scheduler, which reports at each tick that it is well."""

import threading
import time
from typing import Any

import structlog
from darkroom_runtime.background import keep_doing
from darkroom_runtime.health import INTERVAL, HealthFile
from darkroom_runtime.redis_client import UNAVAILABLE, connect
from darkroom_runtime.sending import stamp
from darkroom_runtime.settings import load
from redbeat import RedBeatScheduler

from darkroom_scheduler.config import LOCK_TIMEOUT
from darkroom_scheduler.health import lock_is_held
from darkroom_scheduler.settings import SchedulerSettings

_CLOCK_JITTER = 1.0
"""Seconds by which a clock may be put back without a word: as it is kept in time with others."""

_log = structlog.get_logger(__name__)


class Scheduler(RedBeatScheduler):  # type: ignore[misc]  # RedBeat has no types
    """Any number of these may run: the one that holds the lock in Redis sends tasks, the others wait for it."""

    def __init__(self, *args: object, **kwargs: object) -> None:
        self._health = HealthFile()
        self._redis = connect(load(SchedulerSettings), retries=0)
        self._ticks = threading.Event()
        self._clock = float("inf")
        super().__init__(*args, **kwargs)
        keep_doing("report_waiting", self._report_waiting, self._ticks)

    def send_task(self, *args: Any, headers: dict[str, Any], **options: Any) -> Any:
        """Send a message with the headers that every message carries."""
        return super().send_task(*args, headers=stamp() | headers, **options)

    def tick(self, *args: object, **kwargs: object) -> float:
        """Send what is due, and report the tick."""
        self._heed_clock()
        seconds: float = super().tick(*args, **kwargs)
        self._ticks.set()
        self._health.report(validity=LOCK_TIMEOUT)  # without a tick, the lock is lost by then
        return seconds

    def close(self) -> None:
        """Release the lock, and report nothing any more."""
        self._ticks.set()
        super().close()
        self._health.remove()

    def _heed_clock(self) -> None:
        """Where the clock was put back, since the last tick or before this start: send again from now on.

        RedBeat would send nothing until the clock shows once more when a task was last sent, which can be in hours.
        """
        clock = time.time() - time.monotonic()
        if clock < self._clock - _CLOCK_JITTER:
            for name in self.app.redbeat_conf.schedule:
                entry = self.Entry.from_key(self.Entry.generate_key(self.app, name), app=self.app)
                if entry.last_run_at and entry.last_run_at.timestamp() > time.time():
                    entry.reschedule()
                    _log.warning("clock_put_back", entry=name, last_run_at=entry.last_run_at.isoformat())
        self._clock = clock

    def _report_waiting(self) -> None:
        """Report that another scheduler holds the lock, which RedBeat waits for without a word."""
        try:
            trouble = None if lock_is_held(self._redis) else "No scheduler holds the lock."
        except UNAVAILABLE:
            trouble = "Redis does not answer."
        if not self._ticks.is_set():
            self._health.report(trouble)
        self._ticks.wait(INTERVAL)
