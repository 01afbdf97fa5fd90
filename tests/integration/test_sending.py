"""Messages as they lie in their queues."""

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
from celery import Celery
from celery.beat import ScheduleEntry
from celery.schedules import schedule
from darkroom_contracts.messages import FetchImage, Message, ProcessImage, SendDueEmails, SendEmail, SendNewsletter
from darkroom_contracts.queues import Queue
from darkroom_records.control import ControlStore
from darkroom_runtime import logs
from darkroom_runtime.celery_config import make_celery, publisher
from darkroom_runtime.queues import discard_messages, oldest_waiting, queue_length
from darkroom_runtime.sending import send, send_all, try_send
from darkroom_runtime.settings import Settings
from darkroom_scheduler.config import celery_config
from darkroom_scheduler.ticks import Scheduler
from kombu.exceptions import OperationalError
from redis import Redis

EMAIL = "0123456789abcdef0123456789abcdef"


@pytest.fixture
def celery(redis_url: str) -> Iterator[Celery]:
    """What sends."""
    with make_celery("test", publisher(Settings(redis_url=redis_url))) as app:
        yield app


def messages(redis: Redis, queue: Queue) -> list[dict[str, Any]]:
    """The headers of all messages in a queue, the oldest first."""
    return [json.loads(message)["headers"] for message in reversed(redis.lrange(queue, 0, -1))]


@pytest.mark.parametrize("message", [SendEmail(EMAIL), SendNewsletter(), ProcessImage("group", 3)])
def test_every_message_says_since_when_it_waits_and_for_which_request(
    celery: Celery, redis: Redis, message: Message
) -> None:
    before = time.time()
    with logs.bind_request_id("request-7"):
        send(celery, message)
    (headers,) = messages(redis, message.queue)
    assert headers["task"] == message.name
    assert headers["request_id"] == "request-7"
    assert before <= headers["published_at"] <= time.time()


def test_a_waiting_email_is_seen_to_wait(celery: Celery, redis: Redis) -> None:
    send(celery, SendEmail(EMAIL))
    (queue,) = [queue for queue in ControlStore(redis).refresh()["queues"] if queue["name"] == Queue.MAIL]
    assert queue["oldest_seconds"] is not None


def test_what_the_scheduler_sends_is_seen_to_wait(redis: Redis, redis_url: str) -> None:
    with make_celery("test", celery_config(Settings(redis_url=redis_url))) as app:
        entry = ScheduleEntry("due", SendDueEmails.name, schedule=schedule(30), options={"expires": 30}, app=app)
        Scheduler(app, lazy=True).apply_async(entry, advance=False)
    since = oldest_waiting(redis, Queue.MAIL)
    assert since is not None
    assert 0 <= time.time() - since < 60


def test_a_message_that_is_to_be_taken_later_counts_as_waiting_from_then_on(celery: Celery, redis: Redis) -> None:
    send(celery, SendEmail(EMAIL), countdown=600)
    since = oldest_waiting(redis, Queue.MAIL)
    assert since is not None
    assert since > time.time() + 500


def test_many_are_sent_in_their_order_under_ids_that_open_nothing(celery: Celery, redis: Redis) -> None:
    images = [ProcessImage(EMAIL, index) for index in range(250)]
    send_all(celery, images, published_at=7.0)
    sent = messages(redis, Queue.IMAGES)
    assert [headers["id"] for headers in sent] == [image.task_id for image in images]
    assert {headers["published_at"] for headers in sent} == {7.0}
    assert EMAIL not in sent[0]["id"]


@pytest.mark.parametrize("message", [ProcessImage(EMAIL, 3), FetchImage(EMAIL, 3), SendNewsletter()])
def test_one_of_many_lies_in_its_queue_as_a_single_one_does(celery: Celery, redis: Redis, message: Message) -> None:
    with logs.bind_request_id("request-7"):
        send(celery, message, published_at=7.0)
        send_all(celery, [message], published_at=7.0)
    one, many = (json.loads(text) for text in redis.lrange(message.queue, 0, -1))
    for text in (one, many):
        text["properties"].pop("delivery_tag")
        if message.task_id is None:  # a random one each
            text["properties"].pop("correlation_id")
            text["headers"] |= {"id": "", "root_id": ""}
    assert one == many


def test_many_of_several_kinds_go_to_the_queue_of_each(celery: Celery, redis: Redis) -> None:
    send_all(celery, [message for index in range(150) for message in (FetchImage(EMAIL, index), SendEmail(EMAIL))])
    assert [queue_length(redis, queue) for queue in (Queue.OUTBOUND, Queue.MAIL)] == [150, 150]


def test_where_many_cannot_be_sent_the_error_is_that_of_a_single_one(redis_url: str) -> None:
    nowhere = make_celery("test", publisher(Settings(redis_url=redis_url)) | {"broker_url": "redis://127.0.0.1:1/0"})
    with pytest.raises(OperationalError):
        send(nowhere, SendEmail(EMAIL))
    with pytest.raises(OperationalError):
        send_all(nowhere, [SendEmail(EMAIL)])


def test_a_message_that_only_wakes_somebody_may_fail_to_be_sent(redis_url: str) -> None:
    nowhere = make_celery("test", publisher(Settings(redis_url=redis_url)) | {"broker_url": "redis://127.0.0.1:1/0"})
    try_send(nowhere, SendEmail(EMAIL))


def test_messages_are_taken_out_of_a_queue_and_those_of_others_stay(celery: Celery, redis: Redis) -> None:
    one, other = "1" * 32, "2" * 32
    send_all(celery, [ProcessImage(group_id, index) for index in range(1500) for group_id in (one, other)])
    assert discard_messages(redis, [Queue.IMAGES], of=ProcessImage(one, 0).task_id.removesuffix("0")) == 1500
    assert queue_length(redis, Queue.IMAGES) == 1500


def test_a_message_that_a_worker_holds_is_not_kept_for_it_any_more(celery: Celery, redis: Redis) -> None:
    group_id = "1" * 32
    send(celery, ProcessImage(group_id, 0))
    with celery.connection() as connection, connection.channel() as channel:
        assert channel.basic_get(Queue.IMAGES.value)  # type: ignore[attr-defined]  # not in its stubs
        assert redis.hlen("unacked") == 1
        assert discard_messages(redis, [Queue.IMAGES], of=ProcessImage(group_id, 0).task_id.removesuffix("0")) > 0
        assert redis.hlen("unacked") == redis.zcard("unacked_index") == 0
