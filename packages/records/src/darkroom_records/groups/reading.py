"""Reading the records of groups. Nothing here changes one."""

import json
from collections.abc import Iterable, Mapping
from typing import Any, cast

from redis import Redis

from darkroom_records import _keys as keys
from darkroom_records.groups.lua import group_keys
from darkroom_records.groups.records import Group, Image, OwnedGroups, Progress, read_attempt, read_group, read_images


class UnknownGroupError(LookupError):
    """There is no group of this id."""


class GroupReader:
    """Reads the records of groups, each answer in one round trip or two, whatever the number of images."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    def exists(self, group_id: str) -> bool:
        """Whether there is a group of this id."""
        return bool(self._redis.exists(keys.group_record(group_id)))

    def read(self, group_id: str, *, images: bool = True) -> Group:
        """The group as it stands, in one round trip, whatever the number of its images.

        Raises:
            UnknownGroupError: there is none of this id.
        """
        record_key, items_key, states_key, attempts_key, outcomes_key, *_ = group_keys(group_id)
        with self._redis.pipeline(transaction=images) as pipe:
            pipe.hgetall(record_key)
            pipe.hgetall(attempts_key)
            if images:
                pipe.hgetall(items_key)
                pipe.hgetall(states_key)
                pipe.hgetall(outcomes_key)
            record, attempts, *beside = pipe.execute()
        if not record:
            raise UnknownGroupError(f"There is no group {group_id}.")
        return read_group(group_id, record, attempts, read_images(*beside) if images else ())

    def image(self, group_id: str, index: int) -> Image | None:
        """One image as it stands, in one round trip. None where the group has none of this index.

        Raises:
            UnknownGroupError: there is no such group.
        """
        field = str(index)
        with self._redis.pipeline() as pipe:
            pipe.exists(keys.group_record(group_id))
            for key in (keys.group_items(group_id), keys.group_states(group_id), keys.group_outcomes(group_id)):
                pipe.hget(key, field)
            exists, item, state, outcome = pipe.execute()
        if not exists:
            raise UnknownGroupError(f"There is no group {group_id}.")
        if item is None:
            return None
        return read_images({field: item}, {field: state}, {field: outcome} if outcome else {})[0]

    def progress(self, group_id: str, index: int) -> Progress | None:
        """How far an image has come, in one round trip. None where the group has none of this index.

        Raises:
            UnknownGroupError: there is no such group.
        """
        field = str(index)
        with self._redis.pipeline() as pipe:
            pipe.hgetall(keys.group_record(group_id))
            for name in (keys.group_items, keys.group_states, keys.group_outcomes, keys.group_attempts):
                pipe.hget(name(group_id), field)
            record, item, state, outcome, attempt = pipe.execute()
        if not record:
            raise UnknownGroupError(f"There is no group {group_id}.")
        if item is None:
            return None
        image = read_images({field: item}, {field: state}, {field: outcome} if outcome else {})[0]
        return Progress(read_group(group_id, record, {}, ()), image, read_attempt(attempt) if attempt else None)

    def owned(self, owner: str, *, before: float | None = None, limit: int = 100) -> list[str]:
        """The ids of an owner's groups, the newest first, of those that were taken in before this Unix time."""
        newest = "+inf" if before is None else f"({before!r}"
        key = keys.owned_groups(owner)
        return cast("list[str]", self._redis.zrange(key, newest, "-inf", desc=True, byscore=True, offset=0, num=limit))

    def read_owned(self, owner: str, *, before: float | None = None, limit: int = 100) -> OwnedGroups:
        """A page of an owner's groups without their images, in two round trips. Those that are gone are forgotten.

        Args:
            owner: whose.
            before: the ``next`` of the page before; the first page without.
            limit: how many groups at most.
        """
        key = keys.owned_groups(owner)
        newest = "+inf" if before is None else f"({before!r}"
        found = cast(
            "list[tuple[str, float]]",
            self._redis.zrange(key, newest, "-inf", desc=True, byscore=True, offset=0, num=limit + 1, withscores=True),
        )
        page = found[:limit]
        with self._redis.pipeline(transaction=False) as pipe:
            for group_id, _ in page:
                pipe.hgetall(keys.group_record(group_id))
            records = dict(zip([group_id for group_id, _ in page], pipe.execute(), strict=True))
        if gone := [group_id for group_id, record in records.items() if not record]:
            self._redis.zrem(key, *gone)
        groups = tuple(read_group(group_id, record, {}, ()) for group_id, record in records.items() if record)
        return OwnedGroups(groups, page[-1][1] if len(found) > limit else None)

    def names_of_originals(self, images: Iterable[tuple[str, int]]) -> Mapping[tuple[str, int], str]:
        """The names of those of these images, by group and index, whose originals are kept. In one round trip."""
        indices: dict[str, list[int]] = {}
        for group_id, index in dict.fromkeys(images):
            indices.setdefault(group_id, []).append(index)
        if not indices:
            return {}
        with self._redis.pipeline(transaction=False) as pipe:
            for group_id, wanted in indices.items():
                pipe.hmget(keys.group_items(group_id), [str(index) for index in wanted])
                pipe.hmget(keys.group_sources(group_id), [str(index) for index in wanted])
            found = iter(pipe.execute())
        names: dict[tuple[str, int], str] = {}
        for group_id, wanted in indices.items():
            for index, item, source in zip(wanted, next(found), next(found), strict=True):
                known: dict[str, Any] = json.loads(item) if item else {"refused": True}
                if not known.get("refused") and source is None:  # what was not fetched is not there either
                    names[group_id, index] = known["name"]
        return names
