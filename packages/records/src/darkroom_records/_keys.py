"""The names of what the records keep in Redis. Nobody else knows them: what is kept is changed by its store alone.

A name may not change while a version that knows the old one can still be running.
"""

import hashlib

_ROOT = "darkroom"

RUNNING_GROUPS = f"{_ROOT}:groups:running"
"""Sorted set of the groups that have not ended, by the time their images were last sent to the queue."""

ENDED_GROUPS = f"{_ROOT}:groups:ended"
"""Sorted set of the groups that have ended, by the time they did."""

UNFINISHED_GROUPS = f"{_ROOT}:groups:unfinished"
"""Sorted set of the groups whose intake is not confirmed, by the time it began."""

EXPIRING_GROUPS = f"{_ROOT}:groups:expiring"
"""Sorted set of the ended groups that say for how long their results are kept, by the time at which that is over."""

GROUP_DEADLINES = f"{_ROOT}:groups:deadlines"
"""Sorted set of the groups that have not ended and have a deadline, by that deadline."""

UPLOADS = f"{_ROOT}:uploads"
"""Sorted set of the images that were uploaded ahead, by the time at which each is dropped: 0 where its record is
gone and its blob is still to be deleted."""

UPLOAD_BYTES = f"{_ROOT}:uploads:bytes"
"""Redis hash, by client: how many bytes its uploads have; those of all under an empty name."""

ERASED_GROUPS = f"{_ROOT}:groups:erased"
"""Sorted set of the groups whose record is gone and whose blobs are still to be deleted, by the time of that."""

WAITING_GROUPS = f"{_ROOT}:groups:waiting"
"""Sorted set of the groups of which images wait for their turn, by the time since which they do."""

BACKLOG = f"{_ROOT}:backlog"
"""Redis hash, by owner: how many of its images wait; of all owners under an empty name."""

WINDOW_SIZE = f"{_ROOT}:window"
"""Redis string that expires soon: how many messages of one owner the queue of images may hold."""

READINESS = f"{_ROOT}:readiness"
"""Redis string that expires: written to see whether Redis takes anything in."""

CHANGES = f"{_ROOT}:changes"
"""Pub/sub channel on which the id of a group is published each time its record changes."""

CONTROL = f"{_ROOT}:control"
"""Redis string (JSON): the latest picture of workers and queues."""

CONTROL_TAKEN = f"{_ROOT}:control:taken"
"""Redis string that expires: an API process has just taken the picture itself."""

DUE_MAIL = f"{_ROOT}:mails:due"
"""Sorted set of the emails that have not ended, by the time at which each must be looked at again."""

DUE_WEBHOOKS = f"{_ROOT}:webhooks:due"
"""Sorted set of the webhooks that have not ended, ``{group}.{run}`` or ``{group}.{run}.{index}``, by the time at which
each must be looked at again."""

GROUPS_TO_NOTIFY = f"{_ROOT}:groups:to_announce"
"""Sorted set of the groups that ended and whose results are still to be mailed, by the time of their end."""

SUBSCRIBERS = f"{_ROOT}:newsletter:subscribers"
"""Sorted set of the confirmed addresses, all of one score and so in alphabetical order."""

BOUNCES = f"{_ROOT}:newsletter:bounces"
"""Redis hash, by address: how many issues in a row its server has refused for good."""

NEWSLETTER_PACE = f"{_ROOT}:newsletter:pace"
"""Redis string that is there until the next newsletter email may be sent."""

LATEST_ISSUE = f"{_ROOT}:newsletter:latest"
"""Redis string: the newest issue that is or was sent."""

SIGNING_KEY = f"{_ROOT}:signing_key"
"""Redis string: the key that links in emails are signed with, where none is set."""


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


def group_sources(group_id: str) -> str:
    """Redis hash, by index: the URL of each image whose original must be fetched before it can be processed."""
    return f"{_ROOT}:group:{group_id}:sources"


def group_emails(group_id: str) -> str:
    """Redis set of the emails that carry the group's results."""
    return f"{_ROOT}:group:{group_id}:emails"


def group_webhooks(group_id: str) -> str:
    """Redis hash, by ``{run}.{index}``: the webhooks of single images that have not ended (JSON). Those of the group as
    a whole are part of its record."""
    return f"{_ROOT}:group:{group_id}:webhooks"


def group_waiting(group_id: str) -> str:
    """List of the indices of the images that wait for their turn, and have no message yet."""
    return f"{_ROOT}:group:{group_id}:waiting"


def turns(owner: str) -> str:
    """List of the groups of which images wait, in the order of their turns. An owner is written ``key:{name}``, or
    ``group:{group}`` where there are no API keys."""
    return f"{_ROOT}:turns:{owner}"


def sent_images(owner: str) -> str:
    """Sorted set of an owner's images, ``{group}.{index}``, whose turn has come and which have not ended, by the time
    at which their messages were sent."""
    return f"{_ROOT}:sent:{owner}"


def owned_groups(owner: str) -> str:
    """Sorted set of an owner's groups, by the time at which each was taken in."""
    return f"{_ROOT}:groups:of:{owner}"


def upload_record(image_id: str) -> str:
    """Redis string (JSON): what is known of an image that was uploaded ahead."""
    return f"{_ROOT}:upload:{image_id}"


def task_record(task_id: str) -> str:
    """Redis hash that expires: what became of a diagnostic task."""
    return f"{_ROOT}:task:{task_id}"


def open_tasks(kind: str) -> str:
    """Sorted set of the diagnostic tasks of a kind that have not ended, by the time until which each counts as open."""
    return f"{_ROOT}:tasks:open:{kind}"


def idempotency(digest: str) -> str:
    """Redis string: the group that a request with this Idempotency-Key made."""
    return f"{_ROOT}:idempotency:{digest}"


def step_answer(nonce: str) -> str:
    """Redis string that expires soon: what a step answered its caller, who asks again where the answer was lost."""
    return f"{_ROOT}:answer:{nonce}"


def email_record(email_id: str) -> str:
    """Redis hash: what is known of an email."""
    return f"{_ROOT}:mail:{email_id}"


def email_once(occasion: str) -> str:
    """Redis string: the email that was sent on this occasion, for as long as no second one may be."""
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
    """Redis string: held by the one run that sends the emails of an issue."""
    return f"{_ROOT}:newsletter:issue:{issue}:lock"


def statistics(week: int) -> str:
    """Redis hash: what was counted in a week, numbered from the one that held 1 January 1970."""
    return f"{_ROOT}:figures:{week}"


def email_counter(scope: str, whom: str) -> str:
    """Sorted set of the requests that count against a limit, by their times. It does not say whom it is about."""
    return f"{_ROOT}:mails:limits:{scope}:{hashlib.sha256(whom.encode()).hexdigest()}"
