"""How a process that runs tasks says that it is well: by the loop that takes messages, by its heartbeat, and by its
progress."""

import math
from typing import Any

from celery import Celery, bootsteps, signals

from darkroom_runtime import heartbeat, progress
from darkroom_runtime.health import INTERVAL, process_health
from darkroom_runtime.workers import EXPIRY


def trouble_of(seconds_since_heartbeat: float) -> str | None:
    """Return what is wrong with a worker whose last heartbeat reached Redis so long ago, or None."""
    if seconds_since_heartbeat <= EXPIRY:
        return None
    if math.isinf(seconds_since_heartbeat):
        return "No heartbeat has reached Redis yet."
    return f"No heartbeat has reached Redis for {seconds_since_heartbeat:.0f} s."


class _Report(bootsteps.StartStopStep):
    """Reports from the very loop that takes messages, while it is connected to the broker."""

    requires = ("celery.worker.consumer.tasks:Tasks",)

    def __init__(self, parent: Any, **options: Any) -> None:
        super().__init__(parent, **options)
        self._file = process_health()
        self._watch = progress.LoopWatch()
        self._timers: list[Any] = []
        signals.worker_shutdown.connect(self._forget, weak=False)

    def start(self, parent: Any) -> None:
        self._timers = [
            parent.timer.call_after(0.5, self._report),  # it starts its heartbeat before it comes to this
            parent.timer.call_repeatedly(INTERVAL, self._report),
        ]

    def stop(self, parent: Any) -> None:  # noqa: ARG002 - as Celery calls it
        for timer in self._timers:
            timer.cancel()
        self._file.report(progress.current_trouble() or "The connection to Redis is lost.")

    def _report(self) -> None:
        self._watch.look()
        self._file.report(progress.current_trouble() or trouble_of(heartbeat.seconds_since_last()))

    def _forget(self, **_: Any) -> None:
        self._file.remove()


def install_health(app: Celery) -> None:
    """Let a worker of this application report its health for as long as it runs."""
    app.steps["consumer"].add(_Report)
