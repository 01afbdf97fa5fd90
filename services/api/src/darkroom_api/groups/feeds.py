"""The groups that are followed in this process, each kept up to date for all of its streams."""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Protocol

import structlog
from darkroom_contracts.problems import ProblemCode
from darkroom_records.groups import Group, GroupStore, Image, UnknownGroupError
from darkroom_runtime.background import keep_doing
from darkroom_runtime.redis_client import UNAVAILABLE
from prometheus_client import Gauge

from darkroom_api.groups.changes import Changes
from darkroom_api.groups.event_stream import CLOSING, event
from darkroom_api.groups.responses import GroupStatus
from darkroom_api.http.problems import Problem

_ENDED = "-end"
"""Follows the version in the id of a group's last event."""


class Describe(Protocol):
    """Makes the status of a group."""

    def __call__(self, group: Group, *, images: bool) -> GroupStatus: ...


@dataclass(frozen=True, slots=True)
class News:
    """What a follower is sent, the version it knows from then on, and whether nothing comes after it."""

    text: bytes
    version: int
    is_last: bool


class Feed:
    """What is new of a group, for followers who each know an earlier version of it.

    The text of an update is made once for all who know the same. Who is slow to take updates gets several as one.

    Args:
        group_id: the group.
        outdated: called with this feed whenever the group may have changed.
        describe: makes the group's status, with or without its images.
    """

    def __init__(self, group_id: str, outdated: Callable[["Feed"], None], describe: Describe) -> None:
        self.group_id = group_id
        self.lock = threading.Lock()
        """Held by whoever reads the group for this feed."""
        self._outdated = outdated
        self._describe = describe
        self._updated = threading.Condition()
        self._group: Group | None = None
        self._first_version = 0
        self._changed_at: dict[int, int] = {}
        self._news: dict[int | None, News] = {}
        self._is_over = False

    @property
    def version(self) -> int | None:
        """The version that is known here, if the group was read yet."""
        return self._group.version if self._group else None

    def tell(self) -> None:
        """The group may have changed."""
        self._outdated(self)

    def end(self) -> None:
        """Send all followers away."""
        with self._updated:
            self._is_over = True
            self._updated.notify_all()

    def update(self, group: Group) -> None:
        """Let all followers know how the group now stands."""
        with self._updated:
            if self._group is None:
                self._first_version = group.version
            else:
                self._changed_at |= dict.fromkeys(_changes(self._group.images, group.images), group.version)
            self._group = group
            self._news.clear()
            self._updated.notify_all()

    def known_to(self, last_event_id: str) -> int | None:
        """The version that a returning follower knows, or None where what has changed since cannot be told."""
        try:
            version = int(last_event_id.removesuffix(_ENDED))
        except ValueError:
            return None
        return version if self._group and self._first_version <= version <= self._group.version else None

    def has_ended_for(self, last_event_id: str) -> bool:
        """Whether a returning follower was sent the last event of all."""
        group = self._group
        return group is not None and group.state.is_final and last_event_id == f"{group.version}{_ENDED}"

    def wait(self, known: int | None, seconds: float) -> News | None:
        """What is new against a known version, as soon as there is something. None where nothing is in that time.

        Args:
            known: a version that this method or ``known_to`` gave, or None for someone who knows nothing.
            seconds: how long to wait.
        """
        with self._updated:
            if not self._updated.wait_for(lambda: self._is_over or self._has_news(known), seconds):
                return None
            if self._group is None or not self._has_news(known):
                return News(CLOSING, known or 0, is_last=True)
            if known not in self._news:
                self._news[known] = self._tell_since(self._group, known)
            return self._news[known]

    def _has_news(self, known: int | None) -> bool:
        return self._group is not None and (self._group.version != known or self._group.state.is_final)

    def _tell_since(self, group: Group, known: int | None) -> News:
        text = b""
        if group.version != known:
            body = self._describe(replace(group, images=self._images_since(group, known)), images=True)
            text = event("status", body.model_dump_json(), event_id=str(group.version))
        if group.state.is_final:
            body = self._describe(group, images=False)
            text += event("end", body.model_dump_json(exclude={"images"}), event_id=f"{group.version}{_ENDED}")
        return News(text, group.version, is_last=group.state.is_final)

    def _images_since(self, group: Group, known: int | None) -> tuple[Image, ...]:
        if known is None:
            return group.images
        return tuple(image for image in group.images if self._changed_at.get(image.index, 0) > known)


def _changes(before: Sequence[Image], after: Sequence[Image]) -> list[int]:
    """The indices of the images that are no longer as they were."""
    pairs = zip(before, after, strict=True)
    return [new.index for old, new in pairs if (old.state, old.outcome) != (new.state, new.outcome)]


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
        describe: makes the status of a group, with or without its images.
        limit: streams at the same time. Each holds a thread of the server, of those that may wait.
    """

    def __init__(self, groups: GroupStore, changes: Changes, describe: Describe, *, limit: int) -> None:
        self._groups = groups
        self._changes = changes
        self._describe = describe
        self._places = threading.BoundedSemaphore(limit)
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
            feed, followers = self._followed.get(group_id) or (Feed(group_id, self._note, self._describe), 0)
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
