"""Deleting groups: the record first, so that nobody begins anything, then the blobs."""

from typing import cast

from redis import Redis

from darkroom_records import _keys as keys
from darkroom_records.groups.lua import GroupScript
from darkroom_records.groups.reading import GroupReader
from darkroom_records.groups.records import Erased


class GroupDeletion(GroupReader):
    """The part of the group store that deletes groups, on request or when they have expired."""

    def __init__(self, redis: Redis) -> None:
        super().__init__(redis)
        self._expire = GroupScript(redis, "expire")
        self._erase = GroupScript(redis, "erase")

    def delete(self, group_id: str) -> Erased | None:
        """Forget a group, its emails and its webhooks. None if there was no such group.

        Messages of it that are still under way find nothing to do.

        Its blobs are to be deleted next; until ``blobs_deleted`` says that they are, the group is among ``erased``.
        """
        erased = self._erase(group_id)
        return Erased(*map(int, erased)) if erased else None

    def due_to_expire(self, *, now: float, keep_for: float, limit: int = 1000) -> list[str]:
        """The ids of groups whose results were kept for long enough at this Unix time, those that ended first before.

        Args:
            now: the time.
            keep_for: seconds for which results are kept where a group does not say so itself.
            limit: how many of either kind at most.
        """
        with self._redis.pipeline(transaction=False) as pipe:
            pipe.zrange(keys.ENDED_GROUPS, "-inf", now - keep_for, byscore=True, offset=0, num=limit)
            pipe.zrange(keys.EXPIRING_GROUPS, "-inf", now, byscore=True, offset=0, num=limit)
            ended, expiring = pipe.execute()
        return [*ended, *expiring]

    def expire(self, group_id: str, *, now: float, keep_for: float) -> bool:
        """Forget a group, as ``delete`` does, if it still stands as one whose results were kept for long enough."""
        return bool(self._expire(group_id, now, keep_for))

    def erased(self) -> list[str]:
        """The ids of groups whose record is gone and whose blobs may be left."""
        return cast("list[str]", self._redis.zrange(keys.ERASED_GROUPS, 0, -1))

    def blobs_deleted(self, group_id: str) -> None:
        """Note that nothing is left of an erased group."""
        self._redis.zrem(keys.ERASED_GROUPS, group_id)
