"""Whether a worker gets on with its work. One that does not says so and ends itself; its supervisor starts it again.

Celery's workers have been seen alive, sending heartbeats, answering pings, and taking nothing after Redis had restarted
(https://github.com/apache/airflow/issues/63580), or waiting for ever for a message that was lost in the pipe to a
process of the pool (https://github.com/celery/billiard/issues/389). So a worker is judged by what it gets done.
"""

import contextlib
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any, NoReturn
from weakref import WeakKeyDictionary

import structlog
from celery import signals
from celery.bootsteps import RUN  # type: ignore[attr-defined]  # its stubs leave it out
from celery.worker import state
from celery.worker.request import Request
from darkroom_contracts.queues import Queue
from redis import Redis

from darkroom_runtime import heartbeat, queues
from darkroom_runtime.background import attempt, keep_doing
from darkroom_runtime.health import process_health
from darkroom_runtime.redaction import shorten_ids
from darkroom_runtime.redis_client import UNAVAILABLE, connect
from darkroom_runtime.settings import ConsumerSettings

EXIT_CODE = os.EX_SOFTWARE
"""What a worker ends with that did not get on: 70."""
INTERVAL = 5.0
"""Seconds between two looks at what a worker gets done, at most."""
GRACE = 10.0
"""The most seconds that a worker that ends itself leaves those tasks that get on."""
LAST_WORDS = 5.0
"""Seconds after which a worker that ends itself is ended by all means, whatever is in the way of its last words."""

_log = structlog.get_logger(__name__)


class Stage(Enum):
    """How far a message has come that a worker holds."""

    BEGUN = auto()
    NOT_BEGUN = auto()
    """Although there is a process or thread for it."""
    BEHIND_OTHERS = auto()


@dataclass(frozen=True, slots=True)
class Work:
    """A message that a worker holds, to be run now.

    Attributes:
        name: of its task, for people.
        stage: how far it has come.
        limit: seconds after which its task has certainly ended, or None where nobody knows.
    """

    name: str
    stage: Stage
    limit: float | None


@dataclass(frozen=True, slots=True)
class Sight:
    """A worker at one moment.

    Attributes:
        taken: how many messages it has taken since it started.
        room: how many more it could run.
        waiting: the queues in which messages wait for it; none where it cannot know, for want of Redis.
        work: the messages it holds, by an object that stands for each.
    """

    taken: int
    room: int
    waiting: tuple[str, ...]
    work: Mapping[Any, Work]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is wrong, and with which of the messages that the worker holds, if it is one of them."""

    trouble: str
    stuck: Any = None


class Judge:
    """Tells from what is seen of a worker, every now and then, whether it gets on.

    It counts the seconds in which it could look. A process that was stopped, or whose machine slept, is not to blame
    for that time, and no clock that is set makes a difference.

    Args:
        patience: seconds for which a worker may take nothing while messages wait and it has room, or may not begin what
            it holds although nothing is in the way.
        interval: seconds between two looks.
        now: by a clock that is never set.
    """

    def __init__(self, patience: float, interval: float, now: float) -> None:
        self._patience = patience
        self._longest_step = 2 * interval
        self._looked_at = now
        self._taken = -1
        self._idle_for: float | None = None
        self._unchanged: WeakKeyDictionary[Any, tuple[Stage, float]] = WeakKeyDictionary()

    def look(self, sight: Sight, now: float) -> Verdict | None:
        """Return what is wrong, if anything is.

        Args:
            sight: what is seen.
            now: by the same clock.
        """
        step = min(now - self._looked_at, self._longest_step)
        self._looked_at = now
        return self._of_queue(sight, step) or self._of_work(sight, step)

    def _of_queue(self, sight: Sight, step: float) -> Verdict | None:
        is_idle = bool(sight.waiting) and sight.room > 0 and sight.taken == self._taken
        self._taken = sight.taken
        if not is_idle:
            self._idle_for = None
            return None
        self._idle_for = 0.0 if self._idle_for is None else self._idle_for + step
        if self._idle_for < self._patience:
            return None
        return Verdict(
            f"No message has been taken for {self._idle_for:.0f} s, although some wait in the queue "
            f"{' and '.join(sight.waiting)} and there is room for {sight.room} more."
        )

    def _of_work(self, sight: Sight, step: float) -> Verdict | None:
        before, self._unchanged = self._unchanged, WeakKeyDictionary()
        found = None
        for key, work in sight.work.items():
            stage, seconds = before.get(key, (None, 0.0))
            seconds = seconds + step if stage is work.stage else 0.0
            self._unchanged[key] = work.stage, seconds
            found = found or self._of_one(key, work, seconds)
        return found

    def _of_one(self, key: Any, work: Work, seconds: float) -> Verdict | None:
        if work.stage is Stage.NOT_BEGUN and seconds >= self._patience:
            return Verdict(f"{work.name} has not begun for {seconds:.0f} s, although there is room for it.", key)
        if work.stage is Stage.BEGUN and work.limit is not None and seconds >= work.limit + self._patience:
            return Verdict(f"{work.name} has been running for {seconds:.0f} s; its limit is {work.limit:g} s.", key)
        return None


class Watch:
    """Looks at a worker from a thread of its own, and ends the process when it does not get on."""

    def __init__(self, consumer: Any, redis: Redis, patience: float) -> None:
        self._consumer = consumer
        self._redis = redis
        self._patience = patience
        self._interval = min(INTERVAL, patience / 5)
        self._judge = Judge(patience, self._interval, time.monotonic())
        self._taken = 0
        self._taken_before = -1
        self._stopped = threading.Event()
        self._ending = threading.Lock()
        self.looks = 0
        """How often it has looked: it is alive as long as this grows."""
        self.trouble: str | None = None
        """A sentence, once the worker has been found not to get on."""

    def start(self) -> None:
        signals.task_received.connect(self._count)
        keep_doing("progress", self._wait_and_look, self._stopped, pause=self._interval)

    def stop(self) -> None:
        self._stopped.set()

    @property
    def is_stopped(self) -> bool:
        """Whether it judges nobody any more, since the worker was asked to stop."""
        return self._stopped.is_set()

    def end(self, verdict: Verdict) -> None:
        """Say what is wrong and end this process, with all processes of its pool.

        Tasks that get on may finish first, within ``GRACE``. Nothing new is taken meanwhile.
        """
        if not self._ending.acquire(blocking=False):
            return
        self.trouble = verdict.trouble
        # Whatever is in the way of what follows, such as a log that nobody reads or a Redis that does not answer.
        attempt("progress", lambda: _leave_later(self._consumer, GRACE + LAST_WORDS))
        attempt("progress", lambda: _log.critical("worker_stuck", reason=verdict.trouble, exit_code=EXIT_CODE))
        attempt("progress", lambda: process_health().report(verdict.trouble))
        attempt("progress", lambda: self._let_others_finish(verdict.stuck))
        if _kill_pool(self._consumer):
            attempt("progress", heartbeat.stop)  # what they had begun may be begun again at once
        attempt("progress", _flush)
        os._exit(EXIT_CODE)

    def _count(self, **_: Any) -> None:
        self._taken += 1

    def _wait_and_look(self) -> None:
        if self._stopped.wait(self._interval):
            return
        self.looks += 1
        if self._is_stopping():
            return
        if verdict := self._judge.look(self._see(), time.monotonic()):
            self.end(verdict)

    def _is_stopping(self) -> bool:
        # A worker that is asked to stop takes nothing more. Its supervisor gives it only so long.
        requests = (getattr(state, name) for name in ("should_stop", "should_terminate"))
        is_asked = any(code is not None and code is not False for code in requests)  # 0 is an exit code
        return is_asked or self._consumer.controller.blueprint.state != RUN

    def _see(self) -> Sight:
        slots = int(self._consumer.pool.num_processes)
        active = _copy(state.active_requests)
        held = _copy(state.reserved_requests)
        room = slots - len(held)
        may_wait = room > 0 and self._taken == self._taken_before  # else there is no need to ask
        self._taken_before = self._taken
        not_begun = Stage.NOT_BEGUN if len(active) < slots else Stage.BEHIND_OTHERS
        return Sight(
            taken=self._taken,
            room=room,
            waiting=self._waiting() if may_wait else (),
            work={
                request: Work(_name(request), Stage.BEGUN if request in active else not_begun, _limit(request))
                for request in held
            },
        )

    def _waiting(self) -> tuple[str, ...]:
        """The queues it should be taking messages from in which some wait, as far as Redis is well."""
        if heartbeat.seconds_since_last() > heartbeat.STEADY:
            return ()
        wanted = list(self._consumer.app.amqp.queues.consume_from)  # without those whose consumption is switched off
        try:
            return tuple(name for name in wanted if queues.queue_length(self._redis, Queue(name)))
        except UNAVAILABLE:
            return ()

    def _let_others_finish(self, stuck: Any) -> None:
        def is_any_running() -> bool:
            return any(request is not stuck for request in _copy(state.active_requests))

        if not is_any_running():
            return
        # So that the loop takes nothing new, if it still turns. The stubs know of None only.
        state.should_stop = EXIT_CODE  # type: ignore[assignment]
        deadline = time.monotonic() + min(self._patience, GRACE)
        while is_any_running() and time.monotonic() < deadline:
            time.sleep(0.1)


def _copy(requests: Iterable[Request]) -> set[Request]:
    while True:
        with contextlib.suppress(RuntimeError):  # changed by the loop meanwhile
            return set(requests)


def _name(request: Request) -> str:
    return f"The task {request.name} ({shorten_ids(request.id)})"


def _limit(request: Request) -> float | None:
    limit, _ = request.time_limits
    return limit or request.task.time_limit or request.task.app.conf.task_time_limit


def _leave_later(consumer: Any, seconds: float) -> None:
    def leave() -> NoReturn:
        time.sleep(seconds)
        _kill_pool(consumer)
        os._exit(EXIT_CODE)

    threading.Thread(target=leave, name="progress-end", daemon=True).start()


def _kill_pool(consumer: Any) -> bool:
    """Kill the processes of the pool, if it has any: what they do would go on, and nobody would hear of it."""
    pool = getattr(consumer.pool, "_pool", None)  # threads are no processes
    processes = [process.pid for process in list(getattr(pool, "_pool", ())) if process.pid]
    for process in processes:
        with contextlib.suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)
    return bool(processes)


def _flush() -> None:
    for handler in logging.getLogger().handlers:
        handler.flush()
    sys.stdout.flush()
    sys.stderr.flush()


_watch: Watch | None = None


def current_trouble() -> str | None:
    """What has kept this worker from getting on, if anything has."""
    return _watch.trouble if _watch else None


class LoopWatch:
    """Lets the loop that takes messages watch the thread that watches it, so that neither of them dies quietly.

    Args:
        patience: how often in a row the loop may find that the thread has not looked.
    """

    def __init__(self, patience: int = 12) -> None:
        self._patience = patience
        self._looks = -1
        self._missed = 0

    def look(self) -> None:
        """End the process where the thread stands still."""
        if _watch is None or _watch.is_stopped:
            return
        self._missed = self._missed + 1 if _watch.looks == self._looks else 0
        self._looks = _watch.looks
        if self._missed >= self._patience:
            _watch.end(Verdict("The thread that judges whether this worker gets on stands still."))


def install_progress(settings: ConsumerSettings) -> None:
    """Judge this process, should it become a worker, by what it gets done for as long as it runs."""

    def start(sender: Any, **_: Any) -> None:
        global _watch
        _watch = Watch(sender, connect(settings, retries=0), settings.stall_timeout)
        _watch.start()

    def stop(**_: Any) -> None:
        if _watch:
            _watch.stop()

    signals.worker_ready.connect(start, weak=False)
    signals.worker_shutting_down.connect(stop, weak=False)
    signals.worker_shutdown.connect(stop, weak=False)  # also where no signal asked it to
