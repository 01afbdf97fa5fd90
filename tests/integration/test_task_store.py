"""The records of diagnostic tasks against a real Redis."""

from collections.abc import Iterator

import pytest
from darkroom_contracts.messages import Add, Count, Message
from darkroom_contracts.states import TaskState
from darkroom_records.task_store import MAX_OPEN, TaskStore, TooManyTasksError, UnknownTaskError
from redis import Redis
from support.redis_keys import open_tasks


@pytest.fixture
def tasks(redis: Redis) -> Iterator[TaskStore]:
    yield TaskStore(redis)
    redis.flushall()  # tasks that stay open would keep others out


def test_a_task_reports_its_progress_and_its_value(tasks: TaskStore) -> None:
    tasks.create(Count, "a", total=3)
    assert tasks.read("a").state is TaskState.QUEUED
    assert tasks.progress("a", 1)
    assert (tasks.read("a").state, tasks.read("a").done) == (TaskState.PROCESSING, 1)
    assert tasks.succeed("a", 42, done=3)
    record = tasks.read("a")
    assert (record.state, record.value, record.done, record.total) == (TaskState.SUCCEEDED, 42, 3, 3)


def test_nothing_follows_a_cancellation(tasks: TaskStore) -> None:
    tasks.create(Count, "a", total=3)
    assert tasks.cancel("a")
    assert not tasks.progress("a", 1)
    assert not tasks.succeed("a", 42, done=3)
    assert tasks.read("a").state is TaskState.CANCELLED


def test_an_ended_task_cannot_be_cancelled(tasks: TaskStore) -> None:
    tasks.create(Count, "a", total=1)
    tasks.succeed("a", 1, done=1)
    assert not tasks.cancel("a")


def test_an_unknown_task_is_neither_read_nor_made(tasks: TaskStore) -> None:
    assert not tasks.progress("a", 1)
    with pytest.raises(UnknownTaskError):
        tasks.read("a")


def test_tasks_are_forgotten_after_a_while(tasks: TaskStore, redis: Redis) -> None:
    tasks.create(Count, "a", total=1)
    assert 0 < redis.ttl("darkroom:task:a") <= 24 * 3600


@pytest.mark.parametrize("kind", [Add, Count])
def test_only_so_many_tasks_of_a_kind_are_open_at_once(tasks: TaskStore, kind: type[Message]) -> None:
    for number in range(MAX_OPEN[kind.name]):
        tasks.create(kind, f"{number}", total=600)
    tasks.create(kind, "0", total=600)  # whose answer was lost
    with pytest.raises(TooManyTasksError):
        tasks.create(kind, "one more", total=1)
    with pytest.raises(UnknownTaskError):
        tasks.read("one more")
    assert tasks.succeed("0", 600, done=600)
    tasks.create(kind, "one more", total=1)
    assert tasks.cancel("one more")
    tasks.create(kind, "another", total=1)


def test_a_task_that_was_lost_makes_room_after_a_while(tasks: TaskStore, redis: Redis) -> None:
    for number in range(MAX_OPEN[Count.name]):
        tasks.create(Count, f"{number}", total=600)
    redis.zadd(open_tasks(Count.name), {"0": 1})  # the time until which it counts as open has passed
    tasks.create(Count, "one more", total=1)
    assert not tasks.begin_count("0", 600)
    assert tasks.begin_count("one more", 1)
