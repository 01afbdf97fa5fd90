"""The group store on Redis: every step is one atomic script, and doing a step twice is the same as doing it once."""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any, cast

from darkroom_contracts import keys
from darkroom_contracts.operations import Pipeline, from_message, to_message
from darkroom_contracts.states import ImageState
from redis import Redis

from darkroom_runtime.groups.records import Group, NewImage, Outcome, Work, read_group, read_images

MAX_ATTEMPTS = 3
"""How often an image may be begun. One that ended its process as often is not tried again."""

USED_UP = Outcome(
    error=f"Working on this image stopped its worker {MAX_ATTEMPTS} times, so it was given up. It may be damaged."
)

_SCRIPTS = files("darkroom_runtime.groups") / "scripts"
_COMMON = (_SCRIPTS / "common.lua").read_text()


class UnknownGroupError(LookupError):
    """There is no group of this id."""


@dataclass(frozen=True, slots=True)
class Lost:
    """Images of a group that must be sent to the queue again, and the time of that sending."""

    group_id: str
    indices: tuple[int, ...]
    published_at: float
    request_id: str | None


class GroupStore:
    """Reads and changes the records of groups. Safe to share between threads."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._create = self._script("create")
        self._begin = self._script("begin")
        self._finish = self._script("finish")
        self._give_up = self._script("give_up")
        self._release = self._script("release")
        self._recover = self._script("recover")

    def create(
        self,
        group_id: str,
        images: Sequence[NewImage],
        pipeline: Pipeline,
        *,
        email: str | None = None,
        request_id: str | None = None,
    ) -> float:
        """Write a group down, its images waiting for a message each.

        Returns:
            The Unix time that the messages of its images are to carry as their ``published_at``.
        """
        record = {"pipeline": json.dumps(to_message(pipeline))}
        record |= {name: text for name, text in (("email", email), ("request_id", request_id)) if text}
        items = {str(index): _item(image) for index, image in enumerate(images)}
        outcomes = {
            str(index): Outcome(error=image.error).to_json() for index, image in enumerate(images) if image.error
        }
        return float(self._create(group_id, json.dumps(record), json.dumps(items), json.dumps(outcomes)))

    def delete(self, group_id: str) -> None:
        """Forget a group. Messages of it that are still under way find nothing to do."""
        with self._redis.pipeline() as pipe:
            pipe.delete(*_group_keys(group_id)[:-1])
            pipe.zrem(keys.RUNNING_GROUPS, group_id)
            pipe.execute()

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
        begun = self._begin(group_id, index, delivery, worker, MAX_ATTEMPTS, USED_UP.to_json())
        if begun is None:
            return None
        attempt, item, pipeline = begun
        own = json.loads(item).get("pipeline")
        return Work(group_id, index, int(attempt), from_message(json.loads(pipeline) if own is None else own))

    def succeed(self, work: Work, outcome: Outcome) -> bool:
        """End an image well. False where this attempt is not the latest any more, and nothing was changed."""
        return self._end(work, ImageState.SUCCEEDED, outcome)

    def fail(self, work: Work, error: str) -> bool:
        """End an image with the reason why there is no result. False as in ``succeed``."""
        return self._end(work, ImageState.FAILED, Outcome(error=error))

    def give_up(self, group_id: str, index: int, *, worker: str, error: str) -> bool:
        """Fail an image from outside its process, which this worker has stopped. False if another one has it by now."""
        return bool(self._give_up(group_id, index, worker, Outcome(error=error).to_json()))

    def release(self, work: Work) -> bool:
        """Let anyone begin the image again, because this attempt could not end it. False as in ``succeed``."""
        return bool(self._release(work.group_id, work.index, work.attempt))

    def read(self, group_id: str, *, images: bool = True) -> Group:
        """The group as it stands, in one round trip, whatever the number of its images.

        Raises:
            UnknownGroupError: there is none of this id.
        """
        record_key, items_key, states_key, _, outcomes_key, _ = _group_keys(group_id)
        with self._redis.pipeline(transaction=images) as pipe:
            pipe.hgetall(record_key)
            if images:
                pipe.hgetall(items_key)
                pipe.hgetall(states_key)
                pipe.hgetall(outcomes_key)
            record, *beside = pipe.execute()
        if not record:
            raise UnknownGroupError(f"There is no group {group_id}.")
        return read_group(group_id, record, read_images(*beside) if images else ())

    def lost(self, *, oldest_waiting: float, grace: float, longest: float) -> Iterator[Lost]:
        """The images of all running groups that no message and no living worker will ever come for.

        Each is given out once: whoever asks must send it to the queue again.

        Args:
            oldest_waiting: the ``published_at`` of the oldest message in the queue of images, now if it is empty.
            grace: seconds during which a group that was just published is left alone.
            longest: seconds after which even a living worker has certainly stopped working on an image.
        """
        running = cast("list[str]", self._redis.zrange(keys.RUNNING_GROUPS, 0, -1))
        for group_id in running:
            found = self._recover(group_id, oldest_waiting, grace, longest)
            if found and found[1]:
                published_at, indices, request_id = found
                yield Lost(group_id, tuple(sorted(indices)), float(published_at), request_id or None)

    def _end(self, work: Work, state: ImageState, outcome: Outcome) -> bool:
        return bool(self._finish(work.group_id, work.index, work.attempt, state, outcome.to_json()))

    def _script(self, name: str) -> Callable[..., Any]:
        script = self._redis.register_script(_COMMON + (_SCRIPTS / f"{name}.lua").read_text())

        def run(group_id: str, *arguments: str | float) -> Any:
            return script(
                keys=_group_keys(group_id),
                args=[keys.CHANGES, group_id, keys.worker_heartbeat(""), *arguments],
            )

        return run


def _group_keys(group_id: str) -> list[str]:
    """A group's keys, in the order in which every script takes them."""
    return [
        keys.group_record(group_id),
        keys.group_items(group_id),
        keys.group_states(group_id),
        keys.group_attempts(group_id),
        keys.group_outcomes(group_id),
        keys.RUNNING_GROUPS,
    ]


def _item(image: NewImage) -> str:
    item: dict[str, Any] = {"name": image.name}
    if image.pipeline is not None:
        item["pipeline"] = to_message(image.pipeline)
    return json.dumps(item)
