"""Taking groups in: written down at once, confirmed when their originals are stored, abandoned otherwise."""

import json
from collections.abc import Sequence
from typing import Any, cast

from darkroom_contracts.pipelines import PipelineData
from redis import Redis

from darkroom_records import _keys as keys
from darkroom_records.file_names import safe_stem, unique
from darkroom_records.groups.backlog import NO_LIMITS, BacklogFullError, BacklogLimits
from darkroom_records.groups.idempotency import EarlierRequest, IdempotencyKey, RepeatedRequestError
from darkroom_records.groups.lua import GroupScript
from darkroom_records.groups.reading import GroupReader
from darkroom_records.groups.records import NewImage, Outcome, Terms
from darkroom_records.groups.turns import Turns

_NOTHING_ASKED = Terms()


class GroupIntake(GroupReader):
    """The part of the group store that takes groups in."""

    def __init__(self, redis: Redis) -> None:
        super().__init__(redis)
        self._create = GroupScript(redis, "create")
        self._confirm = GroupScript(redis, "confirm")
        self._abandon = GroupScript(redis, "abandon")

    def create(
        self,
        group_id: str,
        images: Sequence[NewImage],
        pipeline: PipelineData,
        terms: Terms = _NOTHING_ASKED,
        *,
        confirmed: bool = True,
        idempotency: IdempotencyKey | None = None,
        limits: BacklogLimits = NO_LIMITS,
    ) -> float:
        """Write a group down, its images waiting for their turns.

        Args:
            group_id: a new one.
            images: what was taken in.
            pipeline: the operations of every image that has none of its own.
            terms: what is asked for the group as a whole.
            confirmed: whether this is all that is to be done. Otherwise nothing comes of the group until ``confirm``,
                and it is abandoned where that never comes.
            idempotency: the key that stands for it from now on, for as long as it lives.
            limits: how many images may wait, these included.

        Returns:
            The Unix time at which its images count as published. Recovery sends the messages of a group that is
            confirmed at once.

        Raises:
            RepeatedRequestError: the key stands for another group already. Nothing was changed.
            BacklogFullError: more images would wait than may. Nothing was changed.
        """
        record = {"pipeline": json.dumps(pipeline), **terms.to_record()}
        items = _items(images)
        sources = {str(index): image.url for index, image in enumerate(images) if image.url and not image.error}
        outcomes = {
            str(index): Outcome(error=image.error, code=image.code).to_json()
            for index, image in enumerate(images)
            if image.error
        }
        key = idempotency.arguments(group_id, len(images)) if idempotency else ("", "", 0)
        facts = (json.dumps(part) for part in (record, items, outcomes, sources))
        created = self._create(group_id, *facts, 0 if confirmed else 1, *key, limits.total, limits.per_owner)
        if created is None:
            raise BacklogFullError("Too many images are waiting.")
        if isinstance(created, list):
            raise RepeatedRequestError(EarlierRequest.read(*created))
        return float(created)

    def find_earlier(self, idempotency: IdempotencyKey) -> EarlierRequest | None:
        """The request that took this key before, if what it made is still there."""
        made = cast("str | None", self._redis.get(idempotency.name))
        if made is None:
            return None
        group_id = json.loads(made).get("group_id")
        if group_id is None:
            return EarlierRequest.read(made, 1)
        exists, unfinished = cast(
            "list[str | None]", self._redis.hmget(keys.group_record(group_id), ["version", "unfinished"])
        )
        return EarlierRequest.read(made, 1 if unfinished else 0) if exists else None

    def confirm(self, group_id: str) -> Turns | None:
        """Confirm that a group was taken in as a whole, its originals with it.

        Returns:
            The images whose turn it is now. None where the group was abandoned meanwhile.
        """
        due = self._confirm(group_id)
        return None if due is None else Turns.read(due)

    def unfinished(self) -> list[str]:
        """The ids of groups whose intake is not confirmed, the earliest first."""
        return cast("list[str]", self._redis.zrange(keys.UNFINISHED_GROUPS, 0, -1))

    def abandon(self, group_id: str, *, patience: float) -> bool:
        """Erase a group whose intake was not confirmed for so many seconds. False if that is not what happened."""
        return bool(self._abandon(group_id, patience))


def _items(images: Sequence[NewImage]) -> dict[str, str]:
    own = [safe_stem(image.name, index) for index, image in enumerate(images)]
    return {
        str(index): _item(image, None if stem == own[index] else stem)
        for index, (image, stem) in enumerate(zip(images, unique(own), strict=True))
    }


def _item(image: NewImage, stem: str | None) -> str:
    item: dict[str, Any] = {"name": image.name}
    if stem is not None:
        item["stem"] = stem
    if image.error is not None:
        item["refused"] = True
    if image.image_id is not None:
        item["image_id"] = image.image_id
    if image.pipeline is not None:
        item["pipeline"] = image.pipeline
    return json.dumps(item)
