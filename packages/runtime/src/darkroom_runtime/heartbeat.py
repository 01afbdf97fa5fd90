"""The heartbeat of a worker: that it is alive, and what it is doing.

Each start of a worker takes a name of its own and keeps a key in Redis alive under it. Work that was begun under a
name whose key has expired was lost with its worker, and may be begun again: also when a new worker has since started
in the same container, which would answer a ping in the dead one's place.
"""

import secrets
import threading
import time
from collections.abc import Callable
from typing import Any

import structlog
from celery import signals
from celery.worker import state
from celery.worker.request import Request
from redis import Redis

from darkroom_runtime import workers
from darkroom_runtime.background import attempt, keep_doing
from darkroom_runtime.redis_client import UNAVAILABLE, connect
from darkroom_runtime.settings import Settings
from darkroom_runtime.workers import WorkerFacts

INTERVAL = 5.0
"""Seconds between two heartbeats."""
STEADY = 2 * INTERVAL
"""Seconds after which every living worker's heartbeat is back, once Redis is."""

EVENT_INTERVAL = 10.0
"""Seconds between two events by which Flower sees that a worker is there. Celery's own two keep an idle system busy."""

_log = structlog.get_logger(__name__)


class Heartbeat:
    """Keeps the key of one worker alive, from a thread of its own, until it is stopped."""

    def __init__(self, redis: Redis, worker: str, facts: Callable[[], WorkerFacts]) -> None:
        self._redis = redis
        self._worker = worker
        self._facts = facts
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None
        self._latest = float("-inf")
        self._steady_since = float("inf")

    def start(self) -> None:
        attempt("heartbeat", self._beat)
        self._thread = keep_doing("heartbeat", self._beat_and_wait, self._stopped)

    def stop(self) -> None:
        """Stop, and say so at once: what this worker had begun may be taken over."""
        self._stopped.set()
        if self._thread:
            self._thread.join()
        try:
            workers.withdraw(self._redis, self._worker)
        except UNAVAILABLE:
            _log.warning("heartbeat_delete_failed")  # it expires

    @property
    def is_steady(self) -> bool:
        """Whether no heartbeat was missed for a while. If one was, others may have missed theirs while they lived."""
        return time.monotonic() - self._steady_since >= STEADY

    @property
    def seconds_since_last(self) -> float:
        """Seconds since a heartbeat last reached Redis; infinite where none has."""
        return time.monotonic() - self._latest

    def _beat_and_wait(self) -> None:
        self._beat()
        self._stopped.wait(INTERVAL)

    def _beat(self) -> None:
        try:
            workers.renew(self._redis, self._worker, self._facts())
        except BaseException:
            self._steady_since = float("inf")
            raise
        now = time.monotonic()
        if now - self._latest > STEADY:  # the client may have tried again for longer than others' heartbeats lasted
            self._steady_since = now
        self._latest = now


class _WorkerHeartbeat:
    """The heartbeat of this process, where it is a worker. The processes of its pool inherit the name."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def name_worker(self, sender: Any, **_: Any) -> None:
        global _worker_name
        _worker_name = f"{sender.hostname}/{secrets.token_hex(4)}"
        if sender.options.get("heartbeat_interval") is None:
            sender.options["heartbeat_interval"] = EVENT_INTERVAL

    def start(self, sender: Any, **_: Any) -> None:
        global _heartbeat
        _heartbeat = Heartbeat(connect(self._settings), worker_name(), lambda: _facts_of(sender))
        _heartbeat.start()

    def stop(self, **_: Any) -> None:
        stop()


def _facts_of(consumer: Any) -> WorkerFacts:
    active = len(state.active_requests)
    return WorkerFacts(
        node=consumer.hostname,
        queues=tuple(sorted(consumer.app.amqp.queues.consume_from)),
        concurrency=consumer.controller.concurrency,
        active=active,
        reserved=max(len(state.reserved_requests) - active, 0),
        scheduled=sum(_is_task(waiting.entry.args) for waiting in list(consumer.timer.schedule.queue)),
    )


def _is_task(arguments: tuple[Any, ...]) -> bool:
    # The same timer also calls Celery's own functions.
    return bool(arguments) and isinstance(arguments[0], Request)


_worker_name = ""
_heartbeat: Heartbeat | None = None


def worker_name() -> str:
    """The name of this start of the worker, under which its heartbeat is kept: its Celery node name, and a nonce."""
    return _worker_name


def is_steady() -> bool:
    """Whether this worker has missed no heartbeat for a while, so that whoever misses his is truly gone."""
    return _heartbeat is not None and _heartbeat.is_steady


def seconds_since_last() -> float:
    """Seconds since this worker's heartbeat last reached Redis; infinite where none has."""
    return _heartbeat.seconds_since_last if _heartbeat else float("inf")


def stop() -> None:
    """Stop this worker's heartbeat, if it has one: what it had begun may be taken over."""
    if _heartbeat:
        _heartbeat.stop()


def install_heartbeat(settings: Settings) -> None:
    """Give this process, should it become a worker, a name and a heartbeat for as long as it runs."""
    heartbeat = _WorkerHeartbeat(settings)
    signals.worker_init.connect(heartbeat.name_worker, weak=False)
    signals.worker_ready.connect(heartbeat.start, weak=False)
    signals.worker_shutdown.connect(heartbeat.stop, weak=False)
