"""What the maintenance service does, as plain functions: without Celery and without a message."""

import time
from collections.abc import Iterable

import pytest
from darkroom_contracts.ids import new_group_id, new_task_id, task_id
from darkroom_contracts.mail import Address
from darkroom_contracts.messages import Count, FetchImage, Message, ProcessImage, SendResults
from darkroom_contracts.states import GroupState, TaskState
from darkroom_maintenance.counting import count
from darkroom_maintenance.deadlines import end_overdue
from darkroom_maintenance.recovery import recover
from darkroom_records.groups import GroupStore, NewImage, Terms
from darkroom_records.task_store import TaskStore
from darkroom_runtime.logs import current_request_id
from darkroom_runtime.workers import heartbeat_key
from redis import Redis
from support.waiting import wait_for

GROUP = new_group_id()


class Publisher:
    """Keeps what is sent, and for which HTTP request."""

    def __init__(self) -> None:
        self.sent: list[Message] = []
        self.requests: set[str | None] = set()

    def __call__(self, messages: Iterable[Message], /, *, published_at: float) -> None:
        assert published_at > 0
        self.sent += messages
        self.requests.add(current_request_id())


@pytest.fixture
def tasks(redis: Redis) -> TaskStore:
    return TaskStore(redis)


def test_images_whose_message_was_lost_are_sent_again_for_the_request_they_came_with(groups: GroupStore) -> None:
    groups.create(GROUP, [NewImage("a.png"), NewImage("b.png")], (), Terms(request_id="request-1"))
    publisher = Publisher()
    recover(groups, publisher, waiting_since=None, grace=-1, max_hold=130)
    assert publisher.sent == [ProcessImage(GROUP, 0), ProcessImage(GROUP, 1)]
    assert publisher.requests == {"request-1"}


def test_the_images_of_a_dead_worker_are_sent_again_and_those_of_a_living_one_are_not(
    groups: GroupStore, redis: Redis
) -> None:
    groups.create(GROUP, [NewImage("a.png"), NewImage("b.png")], ())
    redis.set(heartbeat_key("alive"), "")
    groups.begin(GROUP, 0, worker="dead", delivery=0)
    groups.begin(GROUP, 1, worker="alive", delivery=0)
    publisher = Publisher()
    recover(groups, publisher, waiting_since=None, grace=-1, max_hold=130)
    assert publisher.sent == [ProcessImage(GROUP, 0)]


def test_images_that_must_be_fetched_are_sent_to_where_that_is_done(groups: GroupStore) -> None:
    url = "https://example.com/a.png"
    groups.create(GROUP, [NewImage("a.png", url=url), NewImage("b.png"), NewImage("c.png", url=url)], ())
    groups.begin_fetch(GROUP, 2, worker="dead", delivery=0)
    publisher = Publisher()
    recover(groups, publisher, waiting_since=None, fetch_waiting_since=None, grace=-1, max_hold=130)
    assert publisher.sent == [ProcessImage(GROUP, 1), FetchImage(GROUP, 0), FetchImage(GROUP, 2)]


def test_images_that_wait_behind_others_are_not_lost(groups: GroupStore) -> None:
    groups.create(GROUP, [NewImage("a.png")], ())
    publisher = Publisher()
    recover(groups, publisher, waiting_since=1.0, grace=-1, max_hold=130)
    assert publisher.sent == []


def test_a_count_ends_with_its_total(tasks: TaskStore) -> None:
    task_id = new_task_id()
    tasks.create(Count, task_id, total=3)
    count(tasks, task_id, 3, interval=0)
    record = tasks.read(task_id)
    assert (record.state, record.value, record.done) == (TaskState.SUCCEEDED, 3, 3)


def test_a_count_that_was_cancelled_before_it_began_does_not_begin(tasks: TaskStore) -> None:
    task_id = new_task_id()
    tasks.create(Count, task_id, total=3)
    tasks.cancel(task_id)
    count(tasks, task_id, 3, interval=0)
    assert tasks.read(task_id).state is TaskState.CANCELLED
    assert tasks.read(task_id).done == 0


def test_a_count_that_takes_too_long_is_cancelled(tasks: TaskStore) -> None:
    task_id = new_task_id()
    tasks.create(Count, task_id, total=3)
    count(tasks, task_id, 3, interval=0, patience=-1)
    assert tasks.read(task_id).state is TaskState.CANCELLED


def test_what_has_not_ended_by_the_deadline_is_stopped_and_its_results_are_emailed(
    groups: GroupStore, redis: Redis
) -> None:
    redis.set(heartbeat_key("alive"), "")
    terms = Terms(email=Address("ada@example.org"), notify=True, deadline=time.time() + 0.2)
    groups.create(GROUP, [NewImage("a.png"), NewImage("b.png")], (), terms)
    groups.begin(GROUP, 0, worker="alive", delivery=0)
    stopped: list[str] = []
    sent: list[Message] = []

    def is_over() -> bool:
        end_overdue(groups, stopped.extend, sent.append, Publisher())
        return groups.read(GROUP).state is GroupState.EXPIRED

    assert not is_over()
    wait_for(is_over, limit=5, what="the deadline")
    assert stopped == [task_id(GROUP, 0)]
    assert sent == [SendResults(GROUP)]
