"""What became of a diagnostic task: kept for a day, written by whoever runs it."""

from dataclasses import dataclass
from typing import cast

from darkroom_contracts.keys import task_record
from darkroom_contracts.states import TaskState
from redis import Redis

EXPIRY = 24 * 3600
"""Seconds after its last change until a task is forgotten."""

# Changes a record only where it stands in one of the states named, so that nothing follows an ending.
_MOVE = """
local state = redis.call('HGET', KEYS[1], 'state')
if not state or not string.find(ARGV[1], state, 1, true) then return 0 end
redis.call('HSET', KEYS[1], unpack(ARGV, 3))
redis.call('EXPIRE', KEYS[1], ARGV[2])
return 1
"""
_NOT_ENDED = f"{TaskState.QUEUED} {TaskState.PROCESSING}"


class UnknownTaskError(LookupError):
    """There is no task of this id, or it was forgotten."""


@dataclass(frozen=True, slots=True)
class TaskRecord:
    """A task as it stands; ``done`` of ``total`` says how far it has come."""

    task_id: str
    state: TaskState
    value: int | None
    done: int
    total: int


class TaskStore:
    """Reads and writes the records of diagnostic tasks."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._move = redis.register_script(_MOVE)

    def create(self, task_id: str, *, total: int) -> None:
        """Note a task that is about to be sent to its queue."""
        key = task_record(task_id)
        with self._redis.pipeline() as pipe:
            pipe.hset(key, mapping={"state": TaskState.QUEUED.value, "done": 0, "total": total})
            pipe.expire(key, EXPIRY)
            pipe.execute()

    def progress(self, task_id: str, done: int) -> bool:
        """Note how far a task has come. False where it was cancelled, or has ended: it must stop."""
        return self._change(task_id, _NOT_ENDED, state=TaskState.PROCESSING, done=done)

    def succeed(self, task_id: str, value: int, *, done: int) -> bool:
        """End a task with its value. False where it had ended."""
        return self._change(task_id, _NOT_ENDED, state=TaskState.SUCCEEDED, value=value, done=done)

    def cancel(self, task_id: str) -> bool:
        """Cancel a task. False where it had ended, or there is none."""
        return self._change(task_id, _NOT_ENDED, state=TaskState.CANCELLED)

    def read(self, task_id: str) -> TaskRecord:
        """The task as it stands.

        Raises:
            UnknownTaskError: there is none of this id.
        """
        record = cast("dict[str, str]", self._redis.hgetall(task_record(task_id)))
        if not record:
            raise UnknownTaskError(f"There is no task {task_id}.")
        value = record.get("value")
        return TaskRecord(
            task_id=task_id,
            state=TaskState(record["state"]),
            value=None if value is None else int(value),
            done=int(record["done"]),
            total=int(record["total"]),
        )

    def _change(self, task_id: str, allowed: str, **changes: str | int) -> bool:
        pairs = [part for pair in changes.items() for part in pair]
        return bool(self._move(keys=[task_record(task_id)], args=[allowed, EXPIRY, *pairs]))
