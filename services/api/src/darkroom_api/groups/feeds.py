"""The feeds of all groups that are followed in this process."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import structlog
from darkroom_contracts.problems import ProblemCode
from darkroom_records.groups import GroupStore, UnknownGroupError
from darkroom_runtime.background import keep_doing
from darkroom_runtime.redis_client import UNAVAILABLE
from prometheus_client import Gauge

from darkroom_api.groups.changes import Changes
from darkroom_api.groups.feed import Feed
from darkroom_api.http.problems import Problem

REST = 0.2
"""Seconds between two rounds of reading what has changed: so a busy group is read five times a second at most."""
RETRY = 1.0
"""Seconds after which Redis is asked again that did not answer."""

_OPEN = Gauge("darkroom_event_streams_open", "Event streams that are being sent.", multiprocess_mode="livesum")
_log = structlog.get_logger(__name__)


class Feeds:
    """Reads each followed group when it has changed, from one thread for all.

    Args:
        groups: where they are read.
        changes: tells which have changed.
        most: streams at the same time. Each holds a thread of the server, of those that may wait.
    """

    def __init__(self, groups: GroupStore, changes: Changes, *, most: int) -> None:
        self._groups = groups
        self._changes = changes
        self._places = threading.BoundedSemaphore(most)
        self._lock = threading.Lock()
        self._followed: dict[str, tuple[Feed, int]] = {}
        self._outdated: set[Feed] = set()
        self._told = threading.Event()
        self._thread: threading.Thread | None = None

    @contextmanager
    def follow(self, group_id: str) -> Iterator[Feed]:
        """The group's feed, which is up to date at first and is kept so.

        Raises:
            Problem: 503 where too many streams are open already.
            UnknownGroupError: there is no such group.
        """
        if not self._places.acquire(blocking=False):
            raise Problem(
                503,
                "Too many event streams are open. Try again, or ask /status instead.",
                code=ProblemCode.TOO_MANY_STREAMS,
                headers={"Retry-After": "5"},
            )
        _OPEN.inc()
        try:
            with self._joined(group_id) as feed:
                self._read(feed)
                yield feed
        finally:
            _OPEN.dec()
            self._places.release()

    @contextmanager
    def _joined(self, group_id: str) -> Iterator[Feed]:
        feed = self._join(group_id)
        try:
            yield feed
        finally:
            self._leave(feed)

    def _join(self, group_id: str) -> Feed:
        with self._lock:
            if self._thread is None:  # not before: a thread does not survive the fork of a worker
                self._thread = keep_doing("feeds", self._read_outdated, self._changes.closed)
            feed, followers = self._followed.get(group_id) or (Feed(group_id, self._note), 0)
            if not followers:
                self._changes.add(group_id, feed)
            self._followed[group_id] = feed, followers + 1
        return feed

    def _leave(self, feed: Feed) -> None:
        with self._lock:
            followers = self._followed[feed.group_id][1] - 1
            self._followed[feed.group_id] = feed, followers
            if not followers:
                del self._followed[feed.group_id]
                self._changes.remove(feed.group_id, feed)

    def _note(self, feed: Feed) -> None:
        with self._lock:
            self._outdated.add(feed)
        self._told.set()

    def _read(self, feed: Feed) -> None:
        """Bring a feed up to date, at the cost of one small answer where it is already."""
        with feed.lock:
            if self._groups.read(feed.group_id, images=False).version != feed.version:
                feed.update(self._groups.read(feed.group_id))

    def _read_outdated(self) -> None:
        """Wait until groups have changed, and read them."""
        if self._changes.closed.wait(REST) or not self._told.wait(RETRY):
            return
        self._told.clear()
        with self._lock:
            outdated, self._outdated = self._outdated, set()
        for feed in outdated:
            try:
                self._read(feed)
            except UnknownGroupError:
                feed.end()
            except UNAVAILABLE as error:
                _log.warning("group_not_read", reason=str(error))
                self._note(feed)
                self._changes.closed.wait(RETRY)
            except Exception as error:  # noqa: BLE001 - the feeds of other groups are read all the same
                _log.error("group_not_read", group_id=feed.group_id, reason=str(error), exc_info=error)
                feed.end()  # its followers come again, and hear what is wrong
