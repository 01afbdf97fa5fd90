"""The states of a group and of an image. They only ever move forward."""

from dataclasses import dataclass
from enum import StrEnum


class ImageState(StrEnum):
    """Where one image stands: ``queued`` -> ``processing`` -> one of the final states."""

    QUEUED = "queued"
    PROCESSING = "processing"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"

    @property
    def is_final(self) -> bool:
        return self in FINAL_IMAGE_STATES


FINAL_IMAGE_STATES = frozenset({ImageState.SUCCEEDED, ImageState.FAILED, ImageState.CANCELLED, ImageState.EXPIRED})


TaskState = ImageState
"""A task of its own goes through the same states."""


class GroupState(StrEnum):
    """Where a whole group stands, as it follows from its images."""

    QUEUED = "queued"
    PROCESSING = "processing"
    COMPLETED = "completed"
    PARTIAL = "partial"
    FAILED = "failed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    """Its deadline passed before all of its images had ended."""

    @property
    def is_final(self) -> bool:
        return self in FINAL_GROUP_STATES


FINAL_GROUP_STATES = frozenset(GroupState) - {GroupState.QUEUED, GroupState.PROCESSING}


class WebhookState(StrEnum):
    """What became of a webhook."""

    PENDING = "pending"
    """It is still to be delivered: at the end to come, or at the next attempt."""
    SENDING = "sending"
    DELIVERED = "delivered"
    FAILED = "failed"
    DISABLED = "disabled"
    """Its receiver wants no more of this group."""


@dataclass(frozen=True, slots=True)
class Counts:
    """How many images of a group are in each state. They add up to the group's total."""

    queued: int = 0
    processing: int = 0
    succeeded: int = 0
    failed: int = 0
    cancelled: int = 0
    expired: int = 0

    @property
    def total(self) -> int:
        return self.queued + self.processing + self.finished

    @property
    def finished(self) -> int:
        """Images that will not change any more."""
        return self.succeeded + self.failed + self.cancelled + self.expired


def group_state(counts: Counts) -> GroupState:
    """The state of a group whose images count as given.

    A group with a cancelled or expired image was cancelled or has expired: that never happens to images one by one. It
    leaves no image waiting or running behind; where one is, those that had failed before are being tried again.
    """
    if counts.finished == 0:
        return GroupState.PROCESSING if counts.processing else GroupState.QUEUED
    if counts.finished < counts.total:
        return GroupState.PROCESSING
    if counts.expired:
        return GroupState.EXPIRED
    if counts.cancelled:
        return GroupState.CANCELLED
    if counts.failed == counts.total:
        return GroupState.FAILED
    return GroupState.PARTIAL if counts.failed else GroupState.COMPLETED
