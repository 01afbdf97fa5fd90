"""The group store on Redis: every step is one atomic script, and doing a step twice is the same as doing it once."""

import json
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, cast

from darkroom_contracts.formats import Metadata
from darkroom_contracts.mail import Address
from darkroom_contracts.pipelines import PipelineData
from darkroom_contracts.problems import ProblemCode
from darkroom_contracts.states import ImageState
from darkroom_runtime.workers import is_any_alive
from redis import Redis

from darkroom_records import _keys as keys
from darkroom_records.file_names import safe_stem, unique
from darkroom_records.groups.idempotency import EarlierRequest, IdempotencyKey, RepeatedRequestError
from darkroom_records.groups.lua import GroupScript, group_keys
from darkroom_records.groups.records import (
    Cancelled,
    Ending,
    Fetch,
    Group,
    Image,
    NewImage,
    Outcome,
    OwnedGroups,
    PendingImages,
    Progress,
    Terms,
    Work,
    read_attempt,
    read_group,
    read_images,
)

MAX_ATTEMPTS = 3
"""How often an image may be begun. One that ended its process as often is not tried again."""

FETCH_USED_UP = Outcome(
    error=f"Fetching was interrupted {MAX_ATTEMPTS} times; giving up. Please retry.",
    code=ProblemCode.WORKER_CRASHED,
)

USED_UP = Outcome(
    error=f"Processing crashed {MAX_ATTEMPTS} times; giving up. The image may be damaged.",
    code=ProblemCode.WORKER_CRASHED,
)


_NOTIFICATION_GRACE = 5.0
"""Seconds that the message sent at a group's end has, before the group is looked for."""

_NOTHING_ASKED = Terms()


class UnknownGroupError(LookupError):
    """There is no group of this id."""


class GroupEndedError(RuntimeError):
    """The group has ended, so there is nothing left to cancel."""


class GroupRunningError(RuntimeError):
    """The group has not ended yet."""


class GroupStore:
    """Reads and changes the records of groups. Safe to share between threads."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._create = GroupScript(redis, "create")
        self._confirm = GroupScript(redis, "confirm")
        self._abandon = GroupScript(redis, "abandon")
        self._expire = GroupScript(redis, "expire")
        self._erase = GroupScript(redis, "erase")
        self._finish_notification = GroupScript(redis, "finish_notification")
        self._begin = GroupScript(redis, "work", "begin")
        self._finish = GroupScript(redis, "finish")
        self._give_up = GroupScript(redis, "give_up")
        self._fetched = GroupScript(redis, "fetched")
        self._release = GroupScript(redis, "release")
        self._cancel = GroupScript(redis, "cancel")
        self._confirm_aborted = GroupScript(redis, "confirm_aborted")
        self._retry = GroupScript(redis, "retry")
        self._recover = GroupScript(redis, "recover")
        self._set_email = GroupScript(redis, "set_email")
        self._note_email_error = GroupScript(redis, "note_email_error")

    def create(
        self,
        group_id: str,
        images: Sequence[NewImage],
        pipeline: PipelineData,
        terms: Terms = _NOTHING_ASKED,
        *,
        confirmed: bool = True,
        idempotency: IdempotencyKey | None = None,
    ) -> float:
        """Write a group down, its images waiting for a message each.

        Args:
            group_id: a new one.
            images: what was taken in.
            pipeline: the operations of every image that has none of its own.
            terms: what is asked for the group as a whole.
            confirmed: whether this is all that is to be done. Otherwise nothing comes of the group until ``confirm``,
                and it is abandoned where that never comes.
            idempotency: the key that stands for it from now on, for as long as it lives.

        Returns:
            The Unix time that the messages of its images are to carry as their ``published_at``.

        Raises:
            RepeatedRequestError: the key stands for another group already. Nothing was changed.
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
        created = self._create(group_id, *facts, 0 if confirmed else 1, *key)
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

    def confirm(self, group_id: str) -> float | None:
        """Confirm that a group was taken in as a whole, its originals with it.

        Returns:
            What ``create`` does, from now on. None where the group was abandoned meanwhile.
        """
        published_at = self._confirm(group_id)
        return None if published_at is None else float(published_at)

    def unfinished(self) -> list[str]:
        """The ids of groups whose intake is not confirmed, the earliest first."""
        return cast("list[str]", self._redis.zrange(keys.UNFINISHED_GROUPS, 0, -1))

    def abandon(self, group_id: str, *, patience: float) -> bool:
        """Erase a group whose intake was not confirmed for so many seconds. False if that is not what happened."""
        return bool(self._abandon(group_id, patience))

    def overdue_notifications(self, limit: int) -> list[str]:
        """The ids of ended groups whose results are still to be emailed and whose message was lost, at most so many."""
        latest = time.time() - _NOTIFICATION_GRACE
        found = self._redis.zrange(keys.GROUPS_TO_NOTIFY, "-inf", latest, byscore=True, offset=0, num=limit)
        return cast("list[str]", found)

    def finish_notification(self, group_id: str, *, finished_at: float | None) -> bool:
        """Note that nothing is left to email about this end of a group. False if it has ended anew since."""
        return bool(self._finish_notification(group_id, repr(finished_at) if finished_at else ""))

    def check(self) -> None:
        """Write something that soon expires.

        Raises:
            redis.exceptions.RedisError: Redis does not answer, or takes nothing in.
        """
        self._redis.set(keys.READINESS, "", ex=60)

    def exists(self, group_id: str) -> bool:
        """Whether there is a group of this id."""
        return bool(self._redis.exists(keys.group_record(group_id)))

    def delete(self, group_id: str) -> int | None:
        """Forget a group and its emails. Messages of it that are still under way find nothing to do.

        Its blobs are to be deleted next; until ``blobs_deleted`` says that they are, the group is among ``erased``.
        """
        emails = self._erase(group_id)
        return None if emails is None else int(emails)

    def expire(self, group_id: str, *, now: float, keep_for: float) -> bool:
        """Forget a group, as ``delete`` does, if it still stands as one whose results were kept for long enough."""
        return bool(self._expire(group_id, now, keep_for))

    def erased(self) -> list[str]:
        """The ids of groups whose record is gone and whose blobs may be left."""
        return cast("list[str]", self._redis.zrange(keys.ERASED_GROUPS, 0, -1))

    def blobs_deleted(self, group_id: str) -> None:
        """Note that nothing is left of an erased group."""
        self._redis.zrem(keys.ERASED_GROUPS, group_id)

    def begin(self, group_id: str, index: int, *, worker: str, delivery: int) -> Work | None:
        """Begin an image, or begin it again after its worker was lost.

        Args:
            group_id: the group.
            index: the image.
            worker: the name under which this worker keeps its heartbeat.
            delivery: how often Celery has sent this message before.

        Returns:
            The work, or None where there is nothing to do: the image has ended, its group is unknown, a living
            worker has it, or it was begun ``MAX_ATTEMPTS`` times and has now failed.
        """
        begun = self._begin(group_id, index, delivery, worker, MAX_ATTEMPTS, USED_UP.to_json(), "")
        if begun is None:
            return None
        attempt, item, pipeline, outputs, metadata, _ = begun
        own = json.loads(item).get("pipeline")
        return Work(
            group_id,
            index,
            int(attempt),
            json.loads(pipeline) if own is None else own,
            json.loads(outputs or "{}"),
            Metadata(metadata or Metadata.NONE),
        )

    def begin_fetch(self, group_id: str, index: int, *, worker: str, delivery: int) -> Fetch | None:
        """Begin to fetch an image's original from its URL. Arguments and answers are as those of ``begin``."""
        begun = self._begin(group_id, index, delivery, worker, MAX_ATTEMPTS, FETCH_USED_UP.to_json(), 1)
        return Fetch(group_id, index, int(begun[0]), begun[-1]) if begun else None

    def fetched(self, fetch: Fetch) -> float | None:
        """Let an image be processed, now that its original is in storage. It must then be sent to the queue.

        Returns:
            The Unix time that the message is to carry as its ``published_at``. None where nothing is to be sent: this
            attempt is not the latest any more, or the image was cancelled.
        """
        published_at = self._fetched(fetch.group_id, fetch.index, fetch.attempt)
        return None if published_at is None else float(published_at)

    def fail_fetch(self, fetch: Fetch, error: str, code: ProblemCode) -> Ending:
        """End an image whose original cannot be had, with the reason. Answers as ``succeed`` does."""
        return self._end(fetch, ImageState.FAILED, Outcome(error=error, code=code))

    def succeed(self, work: Work, outcome: Outcome) -> Ending:
        """End an image well. Answers with what that brought about."""
        return self._end(work, ImageState.SUCCEEDED, outcome)

    def fail(self, work: Work, error: str, code: ProblemCode, **times: Any) -> Ending:
        """End an image with the reason why there is no result, and the times of its outcome. Answers as ``succeed``."""
        return self._end(work, ImageState.FAILED, Outcome(error=error, code=code, **times))

    def give_up(self, group_id: str, index: int, *, worker: str, error: str, code: ProblemCode) -> Ending:
        """Fail an image from outside its process, which this worker has stopped, unless another one has it by now."""
        return Ending(self._give_up(group_id, index, worker, Outcome(error=error, code=code).to_json()))

    def release(self, work: Work | Fetch, *, seconds: float) -> bool:
        """Let an image wait, as if this attempt had not been: the storage fails, or the server of its URL is busy.

        False as in ``succeed``.

        Args:
            work: the attempt.
            seconds: after which whoever releases it sends it to the queue again. Until then it does not count as lost.
        """
        return bool(self._release(work.group_id, work.index, work.attempt, seconds, _fetches(work)))

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

    def cancel(self, group_id: str) -> Cancelled:
        """Cancel what has not ended. Nothing of it can be ended any more, whoever still works on it.

        Raises:
            UnknownGroupError: there is none of this id.
            GroupEndedError: it has ended; nothing was changed.
        """
        cancelled = self._cut_off(group_id, ImageState.CANCELLED)
        if cancelled is None:
            self.read(group_id, images=False)
            raise GroupEndedError(f"The group {group_id} has ended.")
        return cancelled

    def past_deadline(self, now: float) -> list[str]:
        """The ids of the groups whose deadline has passed at this Unix time and that had not ended by it."""
        return cast("list[str]", self._redis.zrange(keys.GROUP_DEADLINES, "-inf", now, byscore=True))

    def end_at_deadline(self, group_id: str) -> Cancelled | None:
        """Let whatever has not ended by the group's deadline expire. None if there was nothing of the kind."""
        return self._cut_off(group_id, ImageState.EXPIRED)

    def confirm_aborted(self, group_id: str, index: int) -> bool:
        """Note that a worker has let go of an image that was cancelled. False if that is not what happened."""
        return bool(self._confirm_aborted(group_id, index))

    def has_live_workers(self, group_id: str) -> bool:
        """Whether a worker that lives may still be busy with a cancelled image of the group."""
        attempts = cast("dict[str, str]", self._redis.hgetall(keys.group_attempts(group_id)))
        workers = {attempt.rpartition("|")[2] for attempt in attempts.values()} - {""}
        return is_any_alive(self._redis, workers)

    def retry(self, group_id: str) -> PendingImages:
        """Let the failed images of an ended group wait again. They must then be sent to the queue.

        Those that were refused when they were taken in stay as they are.

        Raises:
            UnknownGroupError: there is none of this id.
            GroupRunningError: it has not ended; nothing was changed.
        """
        again = self._retry(group_id)
        if again is None:
            self.read(group_id, images=False)
            raise GroupRunningError(f"The group {group_id} has not ended yet.")
        published_at, indices, to_fetch = again
        return PendingImages(group_id, tuple(sorted(indices)), float(published_at), to_fetch=tuple(sorted(to_fetch)))

    def set_email(self, group_id: str, email: Address) -> bool:
        """Give a group the address that its results are mailed to. False if it has another one, which stays.

        Raises:
            UnknownGroupError: there is none of this id.
        """
        known = self._set_email(group_id, email)
        if known is None:
            raise UnknownGroupError(f"There is no group {group_id}.")
        return bool(known)

    def note_email_error(self, group: Group, reason: str) -> bool:
        """Note why the group's results were not mailed at its end. False if it was run again since."""
        return bool(self._note_email_error(group.group_id, repr(group.finished_at), reason))

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

    def take_lost_images(
        self, *, oldest_waiting: float, grace: float, max_hold: float, oldest_fetch: float | None = None
    ) -> Iterator[PendingImages]:
        """The images of all running groups that no message and no living worker will ever come for.

        Each is given out once: whoever asks must send it to the queue again.

        Args:
            oldest_waiting: the ``published_at`` of the oldest message in the queue of images, now if it is empty.
            grace: seconds during which a group that was just published is left alone.
            max_hold: seconds after which even a living worker has certainly stopped working on an image.
            oldest_fetch: as ``oldest_waiting``, of the queue ``outbound``, where that is another time.
        """
        if oldest_fetch is None:
            oldest_fetch = oldest_waiting
        running = cast("list[str]", self._redis.zrange(keys.RUNNING_GROUPS, 0, -1))
        for group_id in running:
            found = self._recover(group_id, oldest_waiting, grace, max_hold, oldest_fetch)
            if found and (found[1] or found[3]):
                published_at, indices, request_id, to_fetch = found
                yield PendingImages(
                    group_id,
                    tuple(sorted(indices)),
                    float(published_at),
                    request_id or None,
                    tuple(sorted(to_fetch)),
                )

    def _cut_off(self, group_id: str, state: ImageState) -> Cancelled | None:
        ended = self._cancel(group_id, state)
        if ended is None:
            return None
        finished, never_started, aborted, ending = ended
        return Cancelled(group_id, int(finished), int(never_started), tuple(sorted(aborted)), Ending(ending))

    def _end(self, work: Work | Fetch, state: ImageState, outcome: Outcome) -> Ending:
        return Ending(self._finish(work.group_id, work.index, work.attempt, state, outcome.to_json(), _fetches(work)))


def _fetches(work: Work | Fetch) -> int:
    return 1 if isinstance(work, Fetch) else 0


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
