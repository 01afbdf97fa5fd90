"""What is kept in a Redis: for tests that look beneath the stores, or let time pass there.

The names are written out, since a version that knows them may still be running
(docs/adr/0006-records-outlive-versions.md).
"""

import json
from collections.abc import Callable, Iterable
from typing import cast

from redis import Redis

CHANGES = "darkroom:changes"
CONTROL = "darkroom:control"
CONTROL_TAKEN = "darkroom:control:taken"
LATEST_ISSUE = "darkroom:newsletter:latest"

_DUE_EMAILS = "darkroom:mails:due"
_DUE_WEBHOOKS = "darkroom:webhooks:due"
_GROUPS_TO_NOTIFY = "darkroom:groups:to_announce"
_FLEETING = ("darkroom:answer:", "darkroom:window")


def group_record(group_id: str) -> str:
    return f"darkroom:group:{group_id}"


def email_record(email_id: str) -> str:
    return f"darkroom:mail:{email_id}"


def issue_record(issue: object) -> str:
    return f"darkroom:newsletter:issue:{issue}"


def pending_subscriber(address: str) -> str:
    return f"darkroom:newsletter:pending:{address}"


def open_tasks(kind: str) -> str:
    return f"darkroom:tasks:open:{kind}"


def statistics(week: int) -> str:
    return f"darkroom:figures:{week}"


def open_emails(redis: Redis) -> list[str]:
    """The ids of emails that have not ended, the next to be looked at first."""
    return cast("list[str]", redis.zrange(_DUE_EMAILS, 0, -1))


def make_email_due(redis: Redis, email_id: str) -> None:
    """As if the time at which the email is looked at again had come."""
    assert redis.zadd(_DUE_EMAILS, {email_id: 1}, xx=True, ch=True) == 1


def groups_to_notify(redis: Redis) -> list[str]:
    """The ids of groups that ended and whose results are still to be emailed."""
    return cast("list[str]", redis.zrange(_GROUPS_TO_NOTIFY, 0, -1))


def make_notification_overdue(redis: Redis, group_id: str) -> None:
    """As if the message at the group's end had been lost a while ago."""
    assert redis.zadd(_GROUPS_TO_NOTIFY, {group_id: 1}, xx=True, ch=True) == 1


def make_webhooks_due(redis: Redis, group_id: str) -> None:
    """Let the time pass for which a group's webhooks wait: for their messages, or for their next attempt."""
    for name in cast("list[str]", redis.zrange(_DUE_WEBHOOKS, 0, -1)):
        if name.startswith(group_id):
            redis.zadd(_DUE_WEBHOOKS, {name: 1.0})
    for key in (group_record(group_id), f"{group_record(group_id)}:webhooks"):
        for name, text in cast("dict[str, str]", redis.hgetall(key)).items():
            if text.startswith("{") and "due_at" in (webhook := json.loads(text)):
                redis.hset(key, name, json.dumps(webhook | {"due_at": "1"}))


def set_window(redis: Redis, number: int) -> None:
    """Let the queue hold so many messages of one owner, whatever workers there are."""
    redis.set("darkroom:window", number)


def running_groups(redis: Redis) -> list[str]:
    """The ids of groups that have not ended."""
    return cast("list[str]", redis.zrange("darkroom:groups:running", 0, -1))


def is_latest_issue_sent(redis: Redis) -> bool:
    """Whether the newest issue of the newsletter went to everyone."""
    return redis.hget(issue_record(redis.get(LATEST_ISSUE)), "state") == "done"


def lasting_keys(redis: Redis) -> list[str]:
    """All keys but those of answers to steps and the size of the window, which soon expire and name nobody."""
    return sorted(key for key in cast("list[str]", redis.keys("*")) if not key.startswith(_FLEETING))


def contents(redis: Redis) -> dict[str, object]:
    """Everything under those keys."""
    readers: dict[str, Callable[[str], object]] = {
        "string": redis.get,
        "hash": redis.hgetall,
        "set": redis.smembers,
        "list": lambda key: redis.lrange(key, 0, -1),
        "zset": lambda key: redis.zrange(key, 0, -1, withscores=True),
    }
    return {key: readers[str(redis.type(key))](key) for key in lasting_keys(redis)}


def let_uploads_go(redis: Redis, *image_ids: str) -> None:
    """Let the time pass after which uploads that nothing uses are dropped."""
    redis.zadd("darkroom:uploads", dict.fromkeys(image_ids, 1), xx=True)


def group_sets(redis: Redis, names: Iterable[str]) -> dict[str, set[str]]:
    """The ids of the groups in each of these sets, in one round trip."""
    names = list(names)
    with redis.pipeline(transaction=False) as pipe:
        for name in names:
            pipe.zrange(f"darkroom:groups:{name}", 0, -1)
        return dict(zip(names, map(set, pipe.execute()), strict=True))


_OF_THE_SYSTEM = (
    *_FLEETING,
    "darkroom:control",
    "darkroom:figures:",
    "darkroom:mails:limits:",
    "darkroom:readiness",
    "darkroom:scheduler:",
    "darkroom:signing_key",
    "darkroom:task:",
    "darkroom:tasks:open:",
    "darkroom:worker",
    "_kombu.binding.",
    "unacked",
)
_SCHEDULED = ("recover-groups", "sweep-unfinished", "send-due-mail", "deliver-due-webhooks")


def keys_of_work(redis: Redis) -> set[str]:
    """All keys but those of the system itself, which are there without any work, and of tasks, which expire."""
    return {key for key in cast("list[str]", redis.keys("*")) if not key.startswith(_OF_THE_SYSTEM)}


def sweeps_sent(redis: Redis) -> dict[str, int]:
    """How often the scheduler has sent each of its frequent tasks."""
    metas = {name: cast("str | None", redis.hget(f"darkroom:scheduler:{name}", "meta")) for name in _SCHEDULED}
    return {name: json.loads(meta).get("total_run_count", 0) if meta else 0 for name, meta in metas.items()}


def heartbeats(redis: Redis) -> dict[str, float]:
    """When each worker was last heard of, by its name, which begins with that of its queue."""
    return dict(cast("list[tuple[str, float]]", redis.zrange("darkroom:workers", 0, -1, withscores=True)))


def ended_images(redis: Redis, group_id: str) -> int:
    """How many images of the group have ended, whatever became of them."""
    counts = redis.hmget(group_record(group_id), ["succeeded", "failed", "cancelled", "expired"])
    return sum(int(count or 0) for count in counts)


def has_ended(redis: Redis, group_id: str) -> bool:
    """Whether all images of the group have ended."""
    return bool(redis.hexists(group_record(group_id), "finished_at"))


def held_messages(redis: Redis) -> int:
    """How many messages were given to consumers that have not acknowledged them."""
    return redis.hlen("unacked")


def hand_out_held_messages_again(redis: Redis) -> None:
    """As if the time had passed after which a message that nobody has acknowledged is given to somebody else."""
    for tag in cast("list[str]", redis.zrange("unacked_index", 0, -1)):
        redis.zadd("unacked_index", {tag: 1}, xx=True)
