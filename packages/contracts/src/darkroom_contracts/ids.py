"""The ids that travel between services: of groups, uploads, tasks and emails."""

import hashlib
import re
import secrets

_ID = re.compile(r"[0-9a-f]{32}")
_IMAGE_TASK = re.compile(r"([0-9a-f]{32})\.(0|[1-9][0-9]{0,8})")


def new_group_id() -> str:
    """An unguessable id: 128 random bits in hexadecimal. Whoever knows it can fetch the group's results."""
    return secrets.token_hex(16)


def is_group_id(text: str) -> bool:
    """Whether the text has the form of a group id, so that it may become part of a key or a path."""
    return _ID.fullmatch(text) is not None


def new_image_id() -> str:
    """An unguessable id of an image that was uploaded ahead: 128 random bits in hexadecimal."""
    return secrets.token_hex(16)


def is_image_id(text: str) -> bool:
    """Whether the text has the form of such an image's id, so that it may become part of a key."""
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


def webhook_id(group_id: str, name: str) -> str:
    """The id of a webhook that tells of a group, given its name within the group. Unguessable, and always the same."""
    return "msg_" + hashlib.sha256(f"{group_id}.{name}".encode()).hexdigest()[:32]


def new_email_id() -> str:
    """An unguessable id: 128 random bits in hexadecimal."""
    return secrets.token_hex(16)


def is_email_id(text: str) -> bool:
    """Whether the text has the form of an email's id, so that it may become part of a key."""
    return _ID.fullmatch(text) is not None
