"""Attempts at images: what the services that fetch and process them write down, and what they lost."""

import json
from collections.abc import Iterator, Sequence
from typing import Any, cast

from darkroom_contracts.formats import Metadata
from darkroom_contracts.problems import ProblemCode
from darkroom_contracts.states import ImageState
from redis import Redis

from darkroom_records import _keys as keys
from darkroom_records.groups.lua import GroupScript
from darkroom_records.groups.reading import GroupReader
from darkroom_records.groups.records import Ended, Ending, Fetch, Outcome, PendingImages, Work
from darkroom_records.groups.turns import Turns

MAX_ATTEMPTS = 3
"""How often an image may be begun. One that ended its process as often is not tried again."""

_FETCH_USED_UP = Outcome(
    error=f"Fetching was interrupted {MAX_ATTEMPTS} times; giving up. Please retry.",
    code=ProblemCode.WORKER_CRASHED,
)

_USED_UP = Outcome(
    error=f"Processing crashed {MAX_ATTEMPTS} times; giving up. The image may be damaged.",
    code=ProblemCode.WORKER_CRASHED,
)


class GroupAttempts(GroupReader):
    """The part of the group store that records attempts at images."""

    def __init__(self, redis: Redis) -> None:
        super().__init__(redis)
        self._begin = GroupScript(redis, "work", "begin")
        self._finish = GroupScript(redis, "finish")
        self._give_up = GroupScript(redis, "give_up")
        self._fetched = GroupScript(redis, "fetched")
        self._release = GroupScript(redis, "release")
        self._confirm_aborted = GroupScript(redis, "confirm_aborted")
        self._recover = GroupScript(redis, "recover")

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
        begun = self._begin(group_id, index, delivery, worker, MAX_ATTEMPTS, _USED_UP.to_json(), "")
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
        begun = self._begin(group_id, index, delivery, worker, MAX_ATTEMPTS, _FETCH_USED_UP.to_json(), 1)
        return Fetch(group_id, index, int(begun[0]), begun[-1]) if begun else None

    def fetched(self, fetch: Fetch) -> Turns | None:
        """Let an image wait for its turn to be processed, now that its original is in storage.

        Returns:
            The images whose turn it is now. None where nothing was changed: this attempt is not the latest any more, or
            the image was cancelled.
        """
        due = self._fetched(fetch.group_id, fetch.index, fetch.attempt)
        return None if due is None else Turns.read(due)

    def fail_fetch(self, fetch: Fetch, error: str, code: ProblemCode) -> Ended:
        """End an image whose original cannot be had, with the reason. Answers as ``succeed`` does."""
        return self._end(fetch, ImageState.FAILED, Outcome(error=error, code=code))

    def succeed(self, work: Work, outcome: Outcome) -> Ended:
        """End an image well. Answers with what that brought about."""
        return self._end(work, ImageState.SUCCEEDED, outcome)

    def fail(self, work: Work, error: str, code: ProblemCode, **times: Any) -> Ended:
        """End an image with the reason why there is no result, and the times of its outcome. Answers as ``succeed``."""
        return self._end(work, ImageState.FAILED, Outcome(error=error, code=code, **times))

    def give_up(self, group_id: str, index: int, *, worker: str, error: str, code: ProblemCode) -> Ended:
        """Fail an image from outside its process, which this worker has stopped, unless another one has it by now."""
        return _ended(self._give_up(group_id, index, worker, Outcome(error=error, code=code).to_json()))

    def release(self, work: Work | Fetch, *, seconds: float) -> bool:
        """Let an image wait, as if this attempt had not been: the storage fails, or the server of its URL is busy.

        False as in ``succeed``.

        Args:
            work: the attempt.
            seconds: after which whoever releases it sends it to the queue again. Until then it does not count as lost.
        """
        return bool(self._release(work.group_id, work.index, work.attempt, seconds, _fetches(work)))

    def confirm_aborted(self, group_id: str, index: int) -> bool:
        """Note that a worker has let go of an image that was cancelled. False if that is not what happened."""
        return bool(self._confirm_aborted(group_id, index))

    def take_lost_images(
        self, *, oldest_waiting: float, grace: float, max_hold: float, oldest_fetch: float | None = None
    ) -> Iterator[PendingImages]:
        """The images of all running groups that no message and no living worker will ever come for.

        With them come those whose turn it is and that nobody has sent: the window of their owner has room.

        Each is given out once: whoever asks must send it to the queue.

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
            if found:
                published_at, indices, request_id, to_fetch, due = found
                pending = PendingImages(
                    group_id,
                    tuple(sorted(indices)),
                    float(published_at),
                    request_id or None,
                    tuple(sorted(to_fetch)),
                    Turns.read(due),
                )
                if pending.indices or pending.to_fetch or pending.turns:
                    yield pending

    def _end(self, work: Work | Fetch, state: ImageState, outcome: Outcome) -> Ended:
        return _ended(self._finish(work.group_id, work.index, work.attempt, state, outcome.to_json(), _fetches(work)))


def _ended(answer: Sequence[Any]) -> Ended:
    effects, *due = answer
    return Ended(Ending(effects), Turns.read(*due)) if due else Ended(Ending(effects))


def _fetches(work: Work | Fetch) -> int:
    return 1 if isinstance(work, Fetch) else 0
