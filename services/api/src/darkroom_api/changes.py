"""Hearing of changes of groups as they happen: one subscription per process, fanned out to whoever watches."""

import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import structlog
from darkroom_contracts.keys import CHANGES
from darkroom_runtime.redis_client import UNAVAILABLE
from redis import Redis

_log = structlog.get_logger(__name__)


class Watch:
    """Told of the changes of one group."""

    def __init__(self) -> None:
        self._told = threading.Event()
        self._ended = False

    def wait(self, seconds: float) -> bool:
        """Wait until the group has changed since the last wait, or may have. False where there is no more time."""
        told = self._told.wait(max(0.0, seconds))
        self._told.clear()
        return told and not self._ended

    def tell(self) -> None:
        """The group has changed."""
        self._told.set()

    def end(self) -> None:
        """There is no more time."""
        self._ended = True
        self._told.set()


class Changes:
    """Fans the published changes out.

    Each watch holds a thread of the server, so there is a most of them: other requests must find threads, too.
    """

    def __init__(self, redis: Redis, *, most: int) -> None:
        self._redis = redis
        self._places = threading.BoundedSemaphore(most)
        self._lock = threading.Lock()
        self._watches: defaultdict[str, set[Watch]] = defaultdict(set)
        self._thread: threading.Thread | None = None
        self._closed = threading.Event()

    @contextmanager
    def watch(self, group_id: str) -> Iterator[Watch | None]:
        """Watch a group from now on. None where too many watch already, or the process is about to end."""
        if self._closed.is_set() or not self._places.acquire(blocking=False):
            yield None
            return
        watch = Watch()
        try:
            self._add(group_id, watch)
            yield watch
        finally:
            self._remove(group_id, watch)
            self._places.release()

    def close(self) -> None:
        """Let everybody go who watches, and nobody watch again."""
        self._closed.set()
        for watch in self._all():
            watch.end()

    def _add(self, group_id: str, watch: Watch) -> None:
        with self._lock:
            self._watches[group_id].add(watch)
            if self._thread is None:  # not before: a thread does not survive the fork of a worker
                self._thread = threading.Thread(target=self._run, name="changes", daemon=True)
                self._thread.start()
        if self._closed.is_set():  # in between
            watch.end()

    def _remove(self, group_id: str, watch: Watch) -> None:
        with self._lock:
            self._watches[group_id].discard(watch)
            if not self._watches[group_id]:
                del self._watches[group_id]

    def _run(self) -> None:
        while not self._closed.is_set():
            try:
                self._listen()
            except UNAVAILABLE as error:
                _log.warning("changes_not_heard", reason=str(error))
                self._closed.wait(1.0)

    def _listen(self) -> None:
        with self._redis.pubsub() as subscription:  # type: ignore[no-untyped-call]  # as redis-py has it
            subscription.subscribe(CHANGES)
            while not self._closed.is_set():
                if message := subscription.get_message(timeout=1.0):
                    self._pass_on(message)

    def _pass_on(self, message: dict[str, Any]) -> None:
        if message["type"] == "subscribe":
            told = self._all()  # what was published before this was not heard
        else:
            with self._lock:
                told = list(self._watches.get(message["data"], ()))
        for watch in told:
            watch.tell()

    def _all(self) -> list[Watch]:
        with self._lock:
            return [watch for watches in self._watches.values() for watch in watches]
