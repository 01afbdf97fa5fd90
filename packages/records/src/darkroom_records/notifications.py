"""The groups that ended and wait for the email with their results, as the group store noted when they ended."""

import time
from typing import cast

from redis import Redis

from darkroom_records import _keys as keys

_GRACE = 5.0
"""Seconds that the message sent at a group's end has, before the group is looked for."""


class Notifications:
    """Reads which groups wait for their email. Safe to share between threads."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    def overdue(self, limit: int) -> list[str]:
        """The ids of groups whose message was lost, at most so many."""
        latest = time.time() - _GRACE
        found = self._redis.zrange(keys.GROUPS_TO_ANNOUNCE, "-inf", latest, byscore=True, offset=0, num=limit)
        return cast("list[str]", found)
