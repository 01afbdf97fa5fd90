"""One group, kept up to date for all streams of this process that follow it."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from darkroom_records.groups import Group, Image

from darkroom_api.groups.responses import GroupStatus
from darkroom_api.groups.server_sent import CLOSING, event

_ENDED = "-end"
"""Follows the version in the id of a group's last event."""


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
    """

    def __init__(self, group_id: str, outdated: Callable[["Feed"], None]) -> None:
        self.group_id = group_id
        self.lock = threading.Lock()
        """Held by whoever reads the group for this feed."""
        self._outdated = outdated
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
            body = GroupStatus.of(replace(group, images=self._images_since(group, known)), images=True)
            text = event("status", body.model_dump_json(), event_id=str(group.version))
        if group.state.is_final:
            body = GroupStatus.of(group, images=False)
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
