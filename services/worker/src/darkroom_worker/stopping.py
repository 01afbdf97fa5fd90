"""How a worker ends when it is told to: as soon as no image is being processed, and after a limit all the same.

Celery would wait until the limit each time (``worker_soft_shutdown_timeout``), its processes idle. Meanwhile it hears
nothing of them, so each process notes itself whether it is at work.
"""

import mmap
import time
from typing import Any

from billiard.process import current_process
from celery import Celery, signals
from celery.apps.worker import Worker
from celery.worker import state

_POLL = 0.05
_MAX_PROCESSES = mmap.PAGESIZE

_at_work = mmap.mmap(-1, _MAX_PROCESSES)
"""A byte for each process of the pool, shared with all of them: 1 while it runs a task."""


class StoppableWorker(Worker):
    """A worker that waits for its running tasks, and no longer."""

    def wait_for_soft_shutdown(self) -> bool:
        """Wait until no task runs, but no longer than the soft shutdown's timeout. Return whether none does."""
        if not state.active_requests:
            return True
        deadline = time.monotonic() + self.app.conf.worker_soft_shutdown_timeout
        while any(_at_work[:]) and time.monotonic() < deadline:
            time.sleep(_POLL)
        return not any(_at_work[:])


def _note(is_at_work: bool) -> None:
    _at_work[_place()] = is_at_work


def _place() -> int:
    # A process that takes the place of a dead one has its index.
    return int(getattr(current_process(), "index", 0)) % _MAX_PROCESSES


def _begin(**_: Any) -> None:
    _note(True)


def _end(**_: Any) -> None:
    _note(False)


def install_stopping(app: Celery) -> None:
    """Let a worker of this application end as soon as its running tasks have."""
    # A cached property, which Celery looks up when it starts a worker.
    app.Worker = app.subclass_with_self(StoppableWorker, name="Worker")  # type: ignore[misc]
    signals.worker_process_init.connect(_end, weak=False)
    signals.task_prerun.connect(_begin, weak=False)
    signals.task_postrun.connect(_end, weak=False)
