"""The records of diagnostic tasks against a real Redis."""

import pytest
from darkroom_contracts.states import TaskState
from darkroom_records.task_store import TaskStore, UnknownTaskError
from redis import Redis


@pytest.fixture
def tasks(redis: Redis) -> TaskStore:
    return TaskStore(redis)


def test_a_task_reports_its_progress_and_its_value(tasks: TaskStore) -> None:
    tasks.create("a", total=3)
    assert tasks.read("a").state is TaskState.QUEUED
    assert tasks.progress("a", 1)
    assert (tasks.read("a").state, tasks.read("a").done) == (TaskState.PROCESSING, 1)
    assert tasks.succeed("a", 42, done=3)
    record = tasks.read("a")
    assert (record.state, record.value, record.done, record.total) == (TaskState.SUCCEEDED, 42, 3, 3)


def test_nothing_follows_a_cancellation(tasks: TaskStore) -> None:
    tasks.create("a", total=3)
    assert tasks.cancel("a")
    assert not tasks.progress("a", 1)
    assert not tasks.succeed("a", 42, done=3)
    assert tasks.read("a").state is TaskState.CANCELLED


def test_an_ended_task_cannot_be_cancelled(tasks: TaskStore) -> None:
    tasks.create("a", total=1)
    tasks.succeed("a", 1, done=1)
    assert not tasks.cancel("a")


def test_an_unknown_task_is_neither_read_nor_made(tasks: TaskStore) -> None:
    assert not tasks.progress("a", 1)
    with pytest.raises(UnknownTaskError):
        tasks.read("a")


def test_tasks_are_forgotten_after_a_while(tasks: TaskStore, redis: Redis) -> None:
    tasks.create("a", total=1)
    assert 0 < redis.ttl("darkroom:task:a") <= 24 * 3600
