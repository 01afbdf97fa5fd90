"""The group store: the one place that changes what is true of a group."""

from darkroom_records.groups.attempts import MAX_ATTEMPTS
from darkroom_records.groups.idempotency import EarlierRequest, IdempotencyKey, RepeatedRequestError
from darkroom_records.groups.reading import UnknownGroupError
from darkroom_records.groups.records import (
    Attempt,
    Cancelled,
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

__all__ = [
    "MAX_ATTEMPTS",
    "Attempt",
    "Cancelled",
    "EarlierRequest",
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
    "Terms",
    "UnknownGroupError",
    "WebhookStatus",
    "Work",
]
