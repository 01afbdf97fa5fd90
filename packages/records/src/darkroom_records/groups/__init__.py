"""The group store: the one place that changes what is true of a group."""

from darkroom_records.groups.attempts import MAX_ATTEMPTS
from darkroom_records.groups.backlog import NO_LIMITS, Backlog, BacklogFullError, BacklogLimits
from darkroom_records.groups.idempotency import EarlierRequest, IdempotencyKey, RepeatedRequestError
from darkroom_records.groups.reading import UnknownGroupError
from darkroom_records.groups.records import (
    Attempt,
    Cancelled,
    Ended,
    Ending,
    Erased,
    Fetch,
    Group,
    Image,
    NewImage,
    Outcome,
    OwnedGroups,
    PendingImages,
    Progress,
    ResultFacts,
    Terms,
    WebhookStatus,
    Work,
)
from darkroom_records.groups.store import GroupEndedError, GroupRunningError, GroupStore
from darkroom_records.groups.turns import SendDated, Turn, Turns

__all__ = [
    "MAX_ATTEMPTS",
    "NO_LIMITS",
    "Attempt",
    "Backlog",
    "BacklogFullError",
    "BacklogLimits",
    "Cancelled",
    "EarlierRequest",
    "Ended",
    "Ending",
    "Erased",
    "Fetch",
    "Group",
    "GroupEndedError",
    "GroupRunningError",
    "GroupStore",
    "IdempotencyKey",
    "Image",
    "NewImage",
    "Outcome",
    "OwnedGroups",
    "PendingImages",
    "Progress",
    "RepeatedRequestError",
    "ResultFacts",
    "SendDated",
    "Terms",
    "Turn",
    "Turns",
    "UnknownGroupError",
    "WebhookStatus",
    "Work",
]
