"""What the store of webhooks takes in and gives out."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from darkroom_contracts.ids import webhook_id
from darkroom_contracts.problems import ProblemCode
from darkroom_contracts.states import Counts, ImageState, WebhookState


class NoWebhookError(LookupError):
    """The group has no webhook that could be sent again."""


@dataclass(frozen=True, slots=True)
class PendingWebhook:
    """A webhook that a message must be sent for.

    Args:
        group_id: the group.
        run: whose end it tells of: how often the group had been run again.
        index: the image that it tells of. -1 if it tells of the group.
    """

    group_id: str
    run: int
    index: int

    @classmethod
    def of(cls, member: str) -> "PendingWebhook":
        """The webhook of this name, as it stands among those that are due."""
        group_id, run, *index = member.split(".")
        return cls(group_id, int(run), int(index[0]) if index else -1)


@dataclass(frozen=True, slots=True)
class GroupEnded:
    """A group ended, with so many images in each state."""

    counts: Counts


@dataclass(frozen=True, slots=True)
class ImageEnded:
    """An image ended.

    Args:
        index: its index.
        name: as it was sent.
        state: what became of it.
        error: why there is no result.
        code: the same for programs.
        outputs: the names of its results. Without any it has one result, without a name.
    """

    index: int
    name: str
    state: ImageState
    error: str | None
    code: str | None
    outputs: tuple[str, ...]


Event: TypeAlias = GroupEnded | ImageEnded


@dataclass(frozen=True, slots=True)
class Delivery:
    """A webhook that was taken to be delivered.

    Args:
        group_id: the group.
        name: of the webhook, within the group.
        claim: how often it was taken, which tells this attempt from the ones before.
        attempt: which one this is of those that the schedule has, counted from 1.
        url: where to.
        event: what it tells of.
        happened_at: the Unix time of that.
        request_id: of the request that the group was taken in with.
    """

    group_id: str
    name: str
    claim: int
    attempt: int
    url: str
    event: Event
    happened_at: float
    request_id: str | None

    @property
    def webhook_id(self) -> str:
        """The same at each attempt, by which a receiver knows what it has had already."""
        return webhook_id(self.group_id, self.name)


@dataclass(frozen=True, slots=True)
class Result:
    """What an attempt came to.

    Args:
        state: the webhook's new state; ``pending`` if it is to be tried again.
        error: why it was not delivered.
        code: the same for programs.
        wait: seconds after which it is to be tried again.
    """

    state: WebhookState
    error: str | None = None
    code: ProblemCode | None = None
    wait: float = 0.0


def read_delivery(group_id: str, claimed: Sequence[Any]) -> Delivery:
    """The delivery that the script answered a claim with."""
    name, claim, attempt, url, event, happened_at, outputs, request_id, item = claimed
    known = json.loads(event)
    return Delivery(
        group_id=group_id,
        name=name,
        claim=int(claim),
        attempt=int(attempt),
        url=url,
        event=_image_ended(name, known, item, outputs) if item else GroupEnded(Counts(**known)),
        happened_at=float(happened_at),
        request_id=request_id or None,
    )


def _image_ended(name: str, known: dict[str, str], item: str, outputs: str) -> ImageEnded:
    return ImageEnded(
        index=int(name.partition(".")[2]),
        name=json.loads(item)["name"],
        state=ImageState(known["state"]),
        error=known.get("error"),
        code=known.get("code"),
        outputs=tuple(json.loads(outputs)) if outputs else (),
    )
