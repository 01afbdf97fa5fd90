"""Where things are kept: the keys in Redis, the keys in blob storage, and the ids that travel between services."""

import hashlib
import re
import secrets

_ID = re.compile(r"[0-9a-f]{32}")
_IMAGE_TASK = re.compile(r"([0-9a-f]{32})\.(0|[1-9][0-9]{0,8})")
_ROOT = "darkroom"

RUNNING_GROUPS = f"{_ROOT}:groups:running"
"""Sorted set of the groups that have not ended, by the time their images were last sent to the queue."""

ENDED_GROUPS = f"{_ROOT}:groups:ended"
"""Sorted set of the groups that have ended, by the time they did."""

READINESS = f"{_ROOT}:readiness"
"""Redis string that expires: written to see whether Redis takes anything in."""

CHANGES = f"{_ROOT}:changes"
"""Pub/sub channel on which the id of a group is published each time its record changes."""

WORKERS = f"{_ROOT}:workers"
"""Sorted set of the names of workers, by the time of their last heartbeat."""

CONTROL = f"{_ROOT}:control"
"""Redis string (JSON): the latest picture of workers and queues."""

CONTROL_TAKEN = f"{_ROOT}:control:taken"
"""Redis string that expires: an API process has just taken the picture itself."""

SCHEDULER = f"{_ROOT}:scheduler:"
"""Prefix under which the scheduler keeps its entries."""

SCHEDULER_LOCK = f"{SCHEDULER}lock"
"""Held by the one scheduler that sends tasks."""

DUE_MAIL = f"{_ROOT}:mails:due"
"""Sorted set of the mails that have not ended, by the time at which each must be looked at again."""

GROUPS_TO_ANNOUNCE = f"{_ROOT}:groups:to_announce"
"""Sorted set of the groups that ended and whose results are still to be mailed, by the time of their end."""

SUBSCRIBERS = f"{_ROOT}:newsletter:subscribers"
"""Sorted set of the confirmed addresses, all of one score and so in the order of their letters."""

BOUNCES = f"{_ROOT}:newsletter:bounces"
"""Redis hash, by address: how many issues in a row its server has refused for good."""

NEWSLETTER_PACE = f"{_ROOT}:newsletter:pace"
"""Redis string that is there until the next letter may be sent."""

LATEST_ISSUE = f"{_ROOT}:newsletter:latest"
"""Redis string: the newest issue that is or was sent."""

SIGNING_KEY = f"{_ROOT}:signing_key"
"""Redis string: the key that links in mails are signed with, where none is set."""


def new_group_id() -> str:
    """An unguessable id: 128 random bits in hexadecimal. Whoever knows it can fetch the group's results."""
    return secrets.token_hex(16)


def is_group_id(text: str) -> bool:
    """Whether the text has the form of a group id, so that it may become part of a key or a path."""
    return _ID.fullmatch(text) is not None


def task_id(group_id: str, index: int) -> str:
    """The id under which an image can be asked for as a task."""
    return f"{group_id}.{index}"


def celery_id(secret_id: str) -> str:
    """The Celery task id of an image or an email, given the id that its owner knows it by.

    Celery's ids are logged and shown in Flower, so this one opens nothing: it keeps the first characters, for whoever
    looks for a group he knows, and a digest of the rest.
    """
    secret, dot, index = secret_id.partition(".")
    return f"{secret[:8]}-{hashlib.sha256(secret.encode()).hexdigest()[:24]}{dot}{index}"


def image_of_task(task_id: str) -> tuple[str, int] | None:
    """The group and the index in an image's task id, or None where the text is no such id."""
    match = _IMAGE_TASK.fullmatch(task_id)
    return (match[1], int(match[2])) if match else None


def new_task_id() -> str:
    """An unguessable id of a task that is of no group: 128 random bits in hexadecimal."""
    return secrets.token_hex(16)


def is_task_id(text: str) -> bool:
    """Whether the text has the form of such a task's id, so that it may become part of a key."""
    return _ID.fullmatch(text) is not None


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


def task_record(task_id: str) -> str:
    """Redis hash that expires: what became of a diagnostic task."""
    return f"{_ROOT}:task:{task_id}"


def open_tasks(kind: str) -> str:
    """Sorted set of the diagnostic tasks of a kind that have not ended, by the time until which each counts as open."""
    return f"{_ROOT}:tasks:open:{kind}"


def worker_heartbeat(worker: str) -> str:
    """Redis string (JSON) that expires unless this start of a worker renews it."""
    return f"{_ROOT}:worker:{worker}"


def idempotency(digest: str) -> str:
    """Redis string: the group that a request with this Idempotency-Key made."""
    return f"{_ROOT}:idempotency:{digest}"


def step_answer(nonce: str) -> str:
    """Redis string that expires soon: what a step answered its caller, who asks again where the answer was lost."""
    return f"{_ROOT}:answer:{nonce}"


def new_mail_id() -> str:
    """An unguessable id: 128 random bits in hexadecimal."""
    return secrets.token_hex(16)


def is_mail_id(text: str) -> bool:
    """Whether the text has the form of a mail's id, so that it may become part of a key."""
    return _ID.fullmatch(text) is not None


def mail_record(mail_id: str) -> str:
    """Redis hash: what is known of a mail."""
    return f"{_ROOT}:mail:{mail_id}"


def mail_once(occasion: str) -> str:
    """Redis string: the mail that was sent on this occasion, for as long as no second one may be."""
    return f"{_ROOT}:mails:once:{occasion}"


def pending_subscriber(address: str) -> str:
    """Redis string that is there while the address may confirm its subscription."""
    return f"{_ROOT}:newsletter:pending:{address}"


def issue_record(issue: str) -> str:
    """Redis hash: how far an issue of the newsletter has come."""
    return f"{_ROOT}:newsletter:issue:{issue}"


def issue_served(issue: str) -> str:
    """Redis set of the addresses that an issue was sent to."""
    return f"{_ROOT}:newsletter:issue:{issue}:served"


def issue_lock(issue: str) -> str:
    """Redis string: held by the one run that sends letters of an issue."""
    return f"{_ROOT}:newsletter:issue:{issue}:lock"


def figures(week: int) -> str:
    """Redis hash: what was counted in a week, numbered from the one that held 1 January 1970."""
    return f"{_ROOT}:figures:{week}"


def group_blobs(group_id: str) -> str:
    """Blob prefix under which everything of a group is kept."""
    return f"groups/{group_id}/"


def original_blob(group_id: str, index: int) -> str:
    """Blob key of an image as it was taken in."""
    return f"groups/{group_id}/in/{index}"


def result_blob(group_id: str, index: int) -> str:
    """Blob key of an image's result."""
    return f"groups/{group_id}/out/{index}"
