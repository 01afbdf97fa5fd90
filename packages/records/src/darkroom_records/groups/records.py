"""What the group store takes in and gives out."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from enum import IntEnum
from typing import Any

from darkroom_contracts.mail import Address
from darkroom_contracts.pipelines import PipelineData
from darkroom_contracts.problems import ProblemCode
from darkroom_contracts.states import Counts, GroupState, ImageState, group_state

from darkroom_records.file_names import safe_stem, with_extension


@dataclass(frozen=True, slots=True)
class NewImage:
    """An image as it is taken in.

    Args:
        name: the file name its owner gave it, for people; it is never part of a path.
        pipeline: its own operations, where they are not the group's.
        error: why it cannot be worked on at all; such an image has failed from the start.
        code: the same for programs.
    """

    name: str
    pipeline: PipelineData | None = None
    error: str | None = None
    code: ProblemCode | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of an image: the facts of its result, or else the reason why there is none."""

    error: str | None = None
    format: str | None = None
    width: int | None = None
    height: int | None = None
    bytes: int | None = None
    sha256: str | None = None
    code: ProblemCode | None = None

    def to_json(self) -> str:
        return json.dumps({name: value for name, value in asdict(self).items() if value is not None})

    @classmethod
    def from_json(cls, text: str) -> "Outcome":
        """The outcome that was written down, by this version or by one that had other members."""
        known = {field.name for field in fields(cls)}
        members = {name: value for name, value in json.loads(text).items() if name in known}
        code = members.pop("code", None)
        is_known = code in list(ProblemCode)  # the version after this one may have more
        return cls(**members, code=ProblemCode(code) if is_known else None)


@dataclass(frozen=True, slots=True)
class Image:
    """One image of a group, as it stands."""

    index: int
    name: str
    state: ImageState
    pipeline: PipelineData | None = None
    outcome: Outcome = Outcome()
    stem: str = ""
    """The path of its result without the extension: the same in the archive, its manifest and single downloads."""

    @property
    def file(self) -> str | None:
        """The path of its result in the archive, once there is one."""
        is_done = self.state is ImageState.SUCCEEDED and self.outcome.format
        return with_extension(self.stem, self.outcome.format or "") if is_done else None


@dataclass(frozen=True, slots=True)
class Group:
    """A group, as it stands. Times are Unix seconds; ``version`` grows with each change."""

    group_id: str
    version: int
    counts: Counts
    created_at: float
    published_at: float
    finished_at: float | None
    pipeline: PipelineData
    email: Address | None
    request_id: str | None
    images: tuple[Image, ...] = field(default=(), repr=False)
    notify: bool = False
    run: int = 0
    """How often it was run again."""
    email_error: str | None = None
    """Why its results were not mailed by themselves at its latest end, though that was asked for."""
    recovering: int = 0
    """Images whose worker was lost, and which no other one has begun yet."""

    @property
    def state(self) -> GroupState:
        return group_state(self.counts)


@dataclass(frozen=True, slots=True)
class Work:
    """An image that was begun: which attempt this is, counted from 1, and what is to be done."""

    group_id: str
    index: int
    attempt: int
    pipeline: PipelineData


class Ending(IntEnum):
    """What the end of an image brought about."""

    NONE = 0
    """This attempt is not the latest any more, and nothing was changed. The one value that is false."""
    IMAGE_ENDED = 1
    GROUP_ENDED_NOTIFY = 2
    """It was the group's last, and the group's results are to be mailed."""


@dataclass(frozen=True, slots=True)
class Cancelled:
    """What a cancelled group had come to: images that had ended, that had not begun, and those in between."""

    group_id: str
    finished: int
    never_started: int
    aborted: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class PendingImages:
    """Images that wait for a message each, and the Unix time that the messages carry as their ``published_at``."""

    group_id: str
    indices: tuple[int, ...]
    published_at: float
    request_id: str | None = None


_ORPHANED = "|"
"""Ends an attempt that names no worker, since it was lost."""


def read_group(
    group_id: str, record: Mapping[str, str], attempts: Mapping[str, str], images: tuple[Image, ...]
) -> Group:
    """The group as its Redis hash says, and that of its attempts."""
    finished_at = record.get("finished_at")
    orphaned = sum(attempt.endswith(_ORPHANED) for attempt in attempts.values())
    return Group(
        group_id=group_id,
        version=int(record["version"]),
        counts=Counts(**{state: int(record[state]) for state in ImageState}),
        created_at=float(record["created_at"]),
        published_at=float(record["published_at"]),
        finished_at=float(finished_at) if finished_at else None,
        pipeline=json.loads(record["pipeline"]),
        email=Address(record["email"]) if record.get("email") else None,
        request_id=record.get("request_id") or None,
        notify="notify" in record,
        run=int(record.get("run", 0)),
        email_error=record.get("email_error"),
        recovering=0 if finished_at else orphaned,
        images=images,
    )


def read_images(items: Mapping[str, str], states: Mapping[str, str], outcomes: Mapping[str, str]) -> tuple[Image, ...]:
    """The images as the three Redis hashes beside the group's say, in the order of their indices."""
    return tuple(_image(index, items[index], states[index], outcomes.get(index)) for index in sorted(items, key=int))


def _image(index: str, item: str, state: str, outcome: str | None) -> Image:
    known: dict[str, Any] = json.loads(item)
    return Image(
        index=int(index),
        name=known["name"],
        state=ImageState(state),
        pipeline=known.get("pipeline"),
        outcome=Outcome.from_json(outcome) if outcome else Outcome(),
        stem=known.get("stem") or safe_stem(known["name"], int(index)),
    )
