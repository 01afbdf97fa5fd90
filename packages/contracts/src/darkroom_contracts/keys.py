"""Where things are kept: the keys in Redis, the keys in blob storage, and the ids that travel between services."""

import re
import secrets

_GROUP_ID = re.compile(r"[0-9a-f]{32}")
_ROOT = "darkroom"

RUNNING_GROUPS = f"{_ROOT}:groups:running"
"""Sorted set of the groups that have not ended, by the time their images were last sent to the queue."""

CHANGES = f"{_ROOT}:changes"
"""Pub/sub channel on which the id of a group is published each time its record changes."""

SCHEDULER = f"{_ROOT}:scheduler:"
"""Prefix under which the scheduler keeps its entries."""

SCHEDULER_LOCK = f"{SCHEDULER}lock"
"""Held by the one scheduler that sends tasks."""


def new_group_id() -> str:
    """An unguessable id: 128 random bits in hexadecimal. Whoever knows it can fetch the group's results."""
    return secrets.token_hex(16)


def is_group_id(text: str) -> bool:
    """Whether the text has the form of a group id, so that it may become part of a key or a path."""
    return _GROUP_ID.fullmatch(text) is not None


def task_id(group_id: str, index: int) -> str:
    """The Celery task id of an image."""
    return f"{group_id}.{index}"


def group_record(group_id: str) -> str:
    """Redis hash: the group's own facts and its counts."""
    return f"{_ROOT}:group:{group_id}"


def group_items(group_id: str) -> str:
    """Redis hash, by index: what is known of each image from the start (JSON)."""
    return f"{_ROOT}:group:{group_id}:items"


def group_states(group_id: str) -> str:
    """Redis hash, by index: the state of each image."""
    return f"{_ROOT}:group:{group_id}:states"


def group_attempts(group_id: str) -> str:
    """Redis hash, by index: ``{attempt}|{worker}`` of each image that was begun and has not ended."""
    return f"{_ROOT}:group:{group_id}:attempts"


def group_outcomes(group_id: str) -> str:
    """Redis hash, by index: what became of each image that ended (JSON)."""
    return f"{_ROOT}:group:{group_id}:outcomes"


def worker_heartbeat(worker: str) -> str:
    """Redis string that expires unless the worker, named by its Celery node name, renews it."""
    return f"{_ROOT}:worker:{worker}"


def idempotency(digest: str) -> str:
    """Redis string: the group that a request with this Idempotency-Key made."""
    return f"{_ROOT}:idempotency:{digest}"


def group_blobs(group_id: str) -> str:
    """Blob prefix under which everything of a group is kept."""
    return f"groups/{group_id}/"


def original_blob(group_id: str, index: int) -> str:
    """Blob key of an image as it was taken in."""
    return f"groups/{group_id}/in/{index}"


def result_blob(group_id: str, index: int) -> str:
    """Blob key of an image's result."""
    return f"groups/{group_id}/out/{index}"
