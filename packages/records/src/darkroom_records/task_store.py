"""The records of diagnostic tasks: kept for a day, written by whoever runs it.

Only so many of each kind may be open at once, so that whoever tries the queues out cannot fill them.
"""

from dataclasses import dataclass
from typing import cast

from darkroom_contracts.limits import COUNTS_PER_SECOND, MAX_ADDITIONS, MAX_COUNTS
from darkroom_contracts.messages import Add, Count, Message
from darkroom_contracts.states import TaskState
from redis import Redis

from darkroom_records._keys import open_tasks, task_record
from darkroom_records.steps import Step

EXPIRY = 24 * 3600
"""Seconds after its last change until a task is forgotten."""

PATIENCE = 60
"""Seconds that a task may wait in its queue, or run for longer than it should, while it counts as open."""

MAX_OPEN = {Add.name: MAX_ADDITIONS, Count.name: MAX_COUNTS}
"""How many tasks of each kind may be open at once."""

_NOT_ENDED = f"{TaskState.QUEUED} {TaskState.PROCESSING}"


class TooManyTasksError(RuntimeError):
    """As many tasks of this kind are open as may be."""


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
        self._create = Step(redis, "darkroom_records", "create_task")
        self._begin = Step(redis, "darkroom_records", "begin_task")
        self._move = Step(redis, "darkroom_records", "move_task")

    def create(self, kind: type[Message], task_id: str, *, total: int) -> None:
        """Note a task that is about to be sent to its queue.

        Raises:
            TooManyTasksError: as many of this kind are open as may be. Nothing was written.
        """
        record: dict[str, str | int] = {"kind": kind.name, "state": TaskState.QUEUED.value, "done": 0, "total": total}
        fields: list[str | float] = [part for pair in record.items() for part in pair]
        arguments: list[str | float] = [task_id, MAX_OPEN[kind.name], _seconds(total), EXPIRY, *fields]
        if not self._create([task_record(task_id), open_tasks(kind.name)], arguments):
            raise TooManyTasksError(f"{MAX_OPEN[kind.name]} tasks of the kind {kind.name} are open.")

    def begin_count(self, task_id: str, total: int) -> bool:
        """Begin to count. False where the task waited for so long that another one may have taken its place."""
        arguments: list[str | float] = [task_id, _seconds(total)]
        return bool(self._begin([task_record(task_id), open_tasks(Count.name)], arguments))

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
        return bool(self._move([task_record(task_id), open_tasks("")], [allowed, EXPIRY, task_id, *pairs]))


def _seconds(total: int) -> float:
    return total / COUNTS_PER_SECOND + PATIENCE
