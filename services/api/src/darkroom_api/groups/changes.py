"""Hearing of changes of groups as they happen: one subscription per process, fanned out to whoever listens."""

import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from darkroom_records.groups.changes import changed_groups
from darkroom_runtime.background import keep_doing
from redis import Redis


class Listener(Protocol):
    """Someone who is to hear of the changes of one group."""

    def tell(self) -> None:
        """The group has changed, or may have."""

    def end(self) -> None:
        """The process is about to end."""


class Watch:
    """A listener for a thread to wait on, told of the changes of one group."""

    def __init__(self) -> None:
        self._told = threading.Event()
        self._ended = False

    def wait(self, seconds: float) -> bool:
        """Wait until the group has changed since the last wait, or may have. False where there is no more time."""
        told = self._told.wait(max(0.0, seconds))
        self._told.clear()
        return told and not self._ended

    def tell(self) -> None:
        """The group has changed, or may have."""
        self._told.set()

    def end(self) -> None:
        """There is no more time."""
        self._ended = True
        self._told.set()


class Changes:
    """Fans the published changes out.

    Args:
        redis: where they are published.
        limit: watches at the same time. Each holds a thread of the server, of those that may wait.
    """

    def __init__(self, redis: Redis, *, limit: int) -> None:
        self._redis = redis
        self._places = threading.BoundedSemaphore(limit)
        self._lock = threading.Lock()
        self._listeners: defaultdict[str, set[Listener]] = defaultdict(set)
        self._thread: threading.Thread | None = None
        self.closed = threading.Event()
        """Set when the process is about to end."""

    @contextmanager
    def watch(self, group_id: str) -> Iterator[Watch | None]:
        """Watch a group from now on. None where too many watch already, or the process is about to end."""
        if self.closed.is_set() or not self._places.acquire(blocking=False):
            yield None
            return
        watch = Watch()
        try:
            self.add(group_id, watch)
            yield watch
        finally:
            self.remove(group_id, watch)
            self._places.release()

    def close(self) -> None:
        """Let everybody go who listens, and nobody listen again."""
        self.closed.set()
        for listener in self._all():
            listener.end()

    def add(self, group_id: str, listener: Listener) -> None:
        """Let someone hear of the changes of a group from now on."""
        with self._lock:
            self._listeners[group_id].add(listener)
            if self._thread is None:  # not before: a thread does not survive the fork of a worker
                self._thread = keep_doing("changes", self._listen, self.closed)
        if self.closed.is_set():  # in between
            listener.end()

    def remove(self, group_id: str, listener: Listener) -> None:
        """Let a listener hear nothing more."""
        with self._lock:
            self._listeners[group_id].discard(listener)
            if not self._listeners[group_id]:
                del self._listeners[group_id]

    def _listen(self) -> None:
        for group_id in changed_groups(self._redis, self.closed):
            for listener in self._all() if group_id is None else self._of(group_id):
                listener.tell()

    def _of(self, group_id: str) -> list[Listener]:
        with self._lock:
            return list(self._listeners.get(group_id, ()))

    def _all(self) -> list[Listener]:
        with self._lock:
            return [listener for listeners in self._listeners.values() for listener in listeners]
