"""The Lua scripts that change a group's record, each in one atomic step."""

from typing import Any

from darkroom_runtime.workers import WORKERS, heartbeat_key
from redis import Redis

from darkroom_records import _keys as keys
from darkroom_records.statistics import this_week
from darkroom_records.steps import Step

_CONSTANTS = {
    "UNFINISHED": keys.UNFINISHED_GROUPS,
    "ERASED": keys.ERASED_GROUPS,
    "EXPIRING": keys.EXPIRING_GROUPS,
    "DEADLINES": keys.GROUP_DEADLINES,
    "DUE_WEBHOOKS": keys.DUE_WEBHOOKS,
    "GROUP": keys.group_record(""),
    "EMAIL": keys.email_record(""),
    "DUE_EMAILS": keys.DUE_MAIL,
    "OWNED": keys.owned_groups(""),
    "TURNS": keys.turns(""),
    "SENT": keys.sent_images(""),
    "WAITING_GROUPS": keys.WAITING_GROUPS,
    "BACKLOG": keys.BACKLOG,
    "WINDOW_SIZE": keys.WINDOW_SIZE,
    "WORKERS": WORKERS,
}


def group_keys(group_id: str) -> list[str]:
    """The keys that belong to one group alone."""
    return [
        keys.group_record(group_id),
        keys.group_items(group_id),
        keys.group_states(group_id),
        keys.group_attempts(group_id),
        keys.group_outcomes(group_id),
        keys.group_sources(group_id),
        keys.group_emails(group_id),
        keys.group_webhooks(group_id),
    ]


class GroupScript:
    """One of the scripts, to be called with a group's id and its own arguments."""

    def __init__(self, redis: Redis, *parts: str) -> None:
        self._step = Step(redis, "darkroom_records.groups", "common", *parts, constants=_CONSTANTS)

    def __call__(self, group_id: str, *arguments: str | float) -> Any:
        return self._step(
            [
                *group_keys(group_id),
                keys.RUNNING_GROUPS,
                keys.ENDED_GROUPS,
                keys.GROUPS_TO_NOTIFY,
                keys.statistics(this_week()),
            ],
            [keys.CHANGES, group_id, heartbeat_key(""), *arguments],
        )
