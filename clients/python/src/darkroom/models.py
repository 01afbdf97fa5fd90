"""What a server answers, as typed objects. Members that are not known yet are ignored."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, Self

FINAL_GROUP_STATES = frozenset({"completed", "partial", "failed", "cancelled", "expired"})
FINAL_IMAGE_STATES = frozenset({"succeeded", "failed", "cancelled", "expired"})


@dataclass(frozen=True, slots=True)
class Upload:
    """An image that was uploaded ahead."""

    image_id: str
    format: str
    width: int
    height: int
    bytes: int

    @classmethod
    def of(cls, body: Mapping[str, Any]) -> Self:
        """Read an upload from an answer."""
        return cls(body["image_id"], body["format"], body["width"], body["height"], body["bytes"])


@dataclass(frozen=True, slots=True)
class Submission:
    """A group that was taken in."""

    group_id: str
    total: int

    @classmethod
    def of(cls, body: Mapping[str, Any]) -> Self:
        """Read a submission from an answer."""
        return cls(body["group_id"], body["total"])


@dataclass(frozen=True, slots=True)
class Output:
    """One result of an image."""

    name: str
    """Of the output; empty where the group has none."""
    file: str
    """Its path in the archive. Not to be trusted as a path of this machine: see `Client.download_all`."""
    width: int | None
    height: int | None
    bytes: int | None


@dataclass(frozen=True, slots=True)
class Image:
    """One image of a group, as it stands."""

    index: int
    name: str
    state: str
    error: str | None
    code: str | None
    results: Sequence[Output]

    @property
    def has_ended(self) -> bool:
        """Whether it will not change any more."""
        return self.state in FINAL_IMAGE_STATES

    @classmethod
    def of(cls, body: Mapping[str, Any]) -> Self:
        """Read an image from a status."""
        results = []
        if body.get("url"):
            file = body.get("file") or body["name"]
            results.append(Output("", file, body.get("width"), body.get("height"), body.get("bytes")))
        for name, made in (body.get("outputs") or {}).items():
            results.append(Output(name, made["file"], made.get("width"), made.get("height"), made.get("bytes")))
        return cls(body["index"], body["name"], body["state"], body.get("error"), body.get("code"), tuple(results))


@dataclass(frozen=True, slots=True)
class Group:
    """A group of images, as it stands."""

    group_id: str
    state: str
    total: int
    completed: int
    failed: int
    cancelled: int
    expired: int
    created_at: datetime
    finished_at: datetime | None
    expires_at: datetime | None
    outputs: Sequence[str]
    images: Sequence[Image]
    """Its images; in an event those alone that changed since the event before."""
    body: Mapping[str, Any] = field(repr=False, compare=False)
    """All that the server said."""

    @property
    def has_ended(self) -> bool:
        """Whether it will not change any more, unless its failed images are retried."""
        return self.state in FINAL_GROUP_STATES

    @property
    def finished(self) -> int:
        """Images that have ended, whatever came of them."""
        return self.completed + self.failed + self.cancelled + self.expired

    @classmethod
    def of(cls, body: Mapping[str, Any]) -> Self:
        """Read a group from a status."""
        return cls(
            group_id=body["group_id"],
            state=body["state"],
            total=body["total"],
            completed=body["completed"],
            failed=body["failed"],
            cancelled=body["cancelled"],
            expired=body.get("expired", 0),
            created_at=datetime.fromisoformat(body["created_at"]),
            finished_at=_time(body.get("finished_at")),
            expires_at=_time(body.get("expires_at")),
            outputs=tuple(body.get("outputs") or ()),
            images=tuple(Image.of(image) for image in body.get("images") or ()),
            body=body,
        )


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to a group."""

    kind: Literal["status", "end"]
    group: Group
    event_id: str | None
    """Where to go on after a lost connection."""


@dataclass(frozen=True, slots=True)
class CancelReceipt:
    """What a group had come to when it was cancelled."""

    group_id: str
    finished: int
    aborted: int
    never_started: int

    @classmethod
    def of(cls, body: Mapping[str, Any]) -> Self:
        """Read a receipt from an answer."""
        return cls(body["group_id"], body["finished"], body["aborted"], body["never_started"])


@dataclass(frozen=True, slots=True)
class DeletionReceipt:
    """What a deleted group consisted of."""

    group_id: str
    images: int
    results: int
    uploads: int
    emails: int
    webhooks: int

    @classmethod
    def of(cls, body: Mapping[str, Any]) -> Self:
        """Read a receipt from an answer."""
        return cls(body["group_id"], body["images"], body["results"], body["uploads"], body["emails"], body["webhooks"])


@dataclass(frozen=True, slots=True)
class Preset:
    """A pipeline or a set of outputs that has a name on the server."""

    name: str
    description: str
    operations: Sequence[Mapping[str, Any]]
    outputs: Mapping[str, Sequence[Mapping[str, Any]]]
    metadata: str

    @classmethod
    def of(cls, body: Mapping[str, Any]) -> Self:
        """Read a preset from an answer."""
        return cls(body["name"], body["description"], body["operations"], body["outputs"], body["metadata"])


@dataclass(frozen=True, slots=True)
class Limits:
    """What a server takes."""

    max_images: int
    max_image_bytes: int
    max_pixels: int

    @classmethod
    def of(cls, body: Mapping[str, Any]) -> Self:
        """Read the limits from a preflight."""
        return cls(body["max_images"], body["max_image_bytes"], body["max_pixels"])


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
