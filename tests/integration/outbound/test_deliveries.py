"""Delivering webhooks, over a real Redis and a server that misbehaves."""

import base64
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from darkroom_contracts.ids import new_group_id
from darkroom_contracts.messages import DeliverWebhook, Message
from darkroom_contracts.problems import ProblemCode
from darkroom_contracts.queues import Queue
from darkroom_contracts.states import WebhookState
from darkroom_outbound.client import Client
from darkroom_outbound.deliveries import Deliveries
from darkroom_outbound.delivering import SCHEDULE
from darkroom_outbound.guard import Guard
from darkroom_outbound.host_slots import HostSlots
from darkroom_records.groups import GroupStore, NewImage, Outcome, ResultFacts, Terms, WebhookStatus
from darkroom_records.webhooks import WebhookStore, parse_secret
from darkroom_runtime.celery_config import make_celery, publisher
from darkroom_runtime.sending import send
from darkroom_runtime.settings import Settings
from darkroom_runtime.workers import heartbeat_key
from redis import Redis
from standardwebhooks import Webhook
from support.hostile_server import HostileServer, Received, answer, hostile_server, redirect
from support.live_consumer import live_consumer
from support.redis_keys import make_webhooks_due
from support.waiting import wait_for

SECRET = "whsec_" + base64.b64encode(bytes(range(32))).decode()
WORKER = "outbound@test"
BASE = "https://images.example.org/darkroom"
FACTS = ResultFacts("jpeg", 1, 1, 1, "ab")


class Sent:
    """Keeps what is sent."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self.countdowns: list[float] = []

    def __call__(self, message: Message, *, countdown: float = 0) -> None:
        self.messages.append(message)
        self.countdowns.append(countdown)


@pytest.fixture
def server() -> Iterator[HostileServer]:
    with hostile_server() as running:
        running.answers["/hook"] = answer(204)
        yield running


@pytest.fixture
def sent() -> Sent:
    return Sent()


@pytest.fixture
def deliveries(redis: Redis, sent: Sent) -> Deliveries:
    redis.set(heartbeat_key(WORKER), "alive")
    return Deliveries(
        WebhookStore(redis),
        Client(Guard.parse(allow=["127.0.0.1"]), slots=HostSlots(1)),
        [parse_secret(SECRET)],
        sent,
        worker=WORKER,
        base=BASE,
        timeout=10,
        max_duration=60,
    )


def submit(groups: GroupStore, url: str, *names: str, **terms: Any) -> str:
    group_id = new_group_id()
    images = [NewImage(name) for name in names or ("a.jpg",)]
    groups.create(group_id, images, (), Terms(webhook_url=url, **terms))
    return group_id


def end(groups: GroupStore, group_id: str, index: int = 0, *, outputs: tuple[str, ...] = ("",)) -> None:
    work = groups.begin(group_id, index, worker=WORKER, delivery=0)
    assert work is not None
    if outputs:
        groups.succeed(work, Outcome.of(dict.fromkeys(outputs, FACTS)))
    else:
        groups.fail(work, "Damaged.", ProblemCode.DAMAGED_IMAGE)


def ended(groups: GroupStore, url: str, **terms: Any) -> str:
    group_id = submit(groups, url, **terms)
    end(groups, group_id)
    return group_id


def status(groups: GroupStore, group_id: str) -> WebhookStatus:
    known = groups.read(group_id, images=False).webhook
    assert known is not None
    return known


def verified(received: Received) -> Any:
    return Webhook(SECRET).verify(received.body, received.headers)


def test_the_end_of_a_group_is_told_by_one_signed_post(
    groups: GroupStore, deliveries: Deliveries, server: HostileServer
) -> None:
    group_id = submit(groups, server.url("/hook?token=x"), "a.jpg", "b.jpg")
    end(groups, group_id, 0)
    end(groups, group_id, 1, outputs=())
    for _ in range(2):  # a message may come twice
        deliveries.run(group_id, -1, -1)
    (received,) = server.received
    assert (received.method, received.path) == ("POST", "/hook?token=x")
    said = verified(received)
    assert datetime.fromisoformat(said.pop("timestamp")).timestamp() == pytest.approx(
        groups.read(group_id).finished_at, abs=0.001
    )
    assert said == {
        "type": "group.ended",
        "data": {
            "group_id": group_id,
            "state": "partial",
            "total": 2,
            "completed": 1,
            "failed": 1,
            "cancelled": 0,
            "expired": 0,
            "status_url": f"{BASE}/status/{group_id}",
            "archive_url": f"{BASE}/archive/{group_id}",
        },
    }
    assert status(groups, group_id) == WebhookStatus(WebhookState.DELIVERED, 1)


def test_the_end_of_an_image_says_where_its_result_is_or_why_there_is_none(
    groups: GroupStore, deliveries: Deliveries, server: HostileServer
) -> None:
    group_id = submit(groups, server.url("/hook"), "2024/ä.jpg", "b.jpg", webhook_images=True)
    end(groups, group_id, 0)
    end(groups, group_id, 1, outputs=())
    deliveries.run(group_id, -1, 0)
    deliveries.run(group_id, -1, 1)
    made, failed = [verified(received) for received in server.received]
    assert made["type"] == failed["type"] == "image.ended"
    assert made["data"] == {
        "group_id": group_id,
        "index": 0,
        "name": "2024/ä.jpg",
        "state": "succeeded",
        "error": None,
        "code": None,
        "url": f"{BASE}/images/{group_id}/0",
    }
    assert failed["data"] == {
        "group_id": group_id,
        "index": 1,
        "name": "b.jpg",
        "state": "failed",
        "error": "Damaged.",
        "code": "damaged_image",
        "url": None,
    }


def test_an_image_with_outputs_says_where_each_is(
    groups: GroupStore, deliveries: Deliveries, server: HostileServer
) -> None:
    group_id = submit(groups, server.url("/hook"), webhook_images=True, outputs={"web": [], "thumb": []})
    end(groups, group_id, outputs=("web", "thumb"))
    deliveries.run(group_id, -1, 0)
    data = verified(server.received[0])["data"]
    url = f"{BASE}/images/{group_id}/0?output="
    assert data["url"] is None
    assert data["outputs"] == {"web": f"{url}web", "thumb": f"{url}thumb"}


def test_a_cancelled_group_that_has_no_results_names_no_archive(
    groups: GroupStore, deliveries: Deliveries, server: HostileServer
) -> None:
    group_id = submit(groups, server.url("/hook"))
    groups.cancel(group_id)
    deliveries.run(group_id, -1, -1)
    data = verified(server.received[0])["data"]
    assert (data["state"], data["cancelled"], data["archive_url"]) == ("cancelled", 1, None)


def test_what_fails_is_tried_again_under_the_same_id_until_the_schedule_is_over(
    groups: GroupStore, deliveries: Deliveries, server: HostileServer, redis: Redis
) -> None:
    server.answers["/hook"] = answer(503)
    group_id = ended(groups, server.url("/hook"))
    deliveries.run(group_id, -1, -1)
    known = status(groups, group_id)
    assert (known.state, known.attempts, known.error) == (
        WebhookState.PENDING,
        1,
        "The URL's server answered 503.",
    )
    for _ in SCHEDULE:
        deliveries.run(group_id, -1, -1)
        assert status(groups, group_id).state is WebhookState.PENDING
        make_webhooks_due(redis, group_id)
        deliveries.run(group_id, -1, -1)
    assert len(server.received) == len(SCHEDULE) + 1
    assert len({received.headers["webhook-id"] for received in server.received}) == 1
    assert len({received.body for received in server.received}) == 1
    assert status(groups, group_id).state is WebhookState.FAILED


def test_410_switches_the_webhook_of_the_group_off(
    groups: GroupStore, deliveries: Deliveries, server: HostileServer
) -> None:
    server.answers["/hook"] = answer(410)
    group_id = submit(groups, server.url("/hook"), "a.jpg", "b.jpg", webhook_images=True)
    end(groups, group_id, 0)
    deliveries.run(group_id, -1, 0)
    end(groups, group_id, 1)
    deliveries.run(group_id, -1, 1)
    deliveries.run(group_id, -1, -1)
    assert len(server.received) == 1
    assert status(groups, group_id).state is WebhookState.DISABLED


def test_no_redirect_is_followed(groups: GroupStore, deliveries: Deliveries, server: HostileServer) -> None:
    server.answers |= {"/": redirect("/hook", 308)}
    group_id = ended(groups, server.url("/"))
    deliveries.run(group_id, -1, -1)
    assert [received.path for received in server.received] == ["/"]
    assert status(groups, group_id).error == "The URL's server answered 308."


@pytest.mark.parametrize("url", ["http://127.0.0.2/", "http://[::ffff:127.0.0.2]/", "http://0x7f.1/"])
def test_where_nobody_may_be_sent_it_fails_at_once(groups: GroupStore, deliveries: Deliveries, url: str) -> None:
    group_id = ended(groups, url)
    deliveries.run(group_id, -1, -1)
    known = status(groups, group_id)
    assert (known.state, known.code, known.attempts) == (WebhookState.FAILED, ProblemCode.URL_NOT_ALLOWED, 1)


def test_a_host_that_is_busy_costs_no_attempt(
    groups: GroupStore, deliveries: Deliveries, server: HostileServer, sent: Sent
) -> None:
    group_id = ended(groups, server.url("/hook"))
    with deliveries.client.slots.hold("127.0.0.1"):
        deliveries.run(group_id, -1, -1)
    assert server.received == []
    assert sent.messages == [DeliverWebhook(group_id)]
    assert sent.countdowns[0] > 0
    assert status(groups, group_id).attempts == 0


def test_without_a_secret_nothing_is_sent(groups: GroupStore, deliveries: Deliveries, server: HostileServer) -> None:
    group_id = ended(groups, server.url("/hook"))
    replace(deliveries, keys=()).run(group_id, -1, -1)
    assert server.received == []
    assert status(groups, group_id).error == "Webhooks are disabled: DARKROOM_WEBHOOK_SECRET is not set."


def test_one_that_stops_its_worker_each_time_is_given_up(
    groups: GroupStore, deliveries: Deliveries, server: HostileServer, redis: Redis
) -> None:
    group_id = ended(groups, server.url("/hook"))
    redis.delete(heartbeat_key(WORKER))
    for _ in range(len(SCHEDULE) + 1):
        assert deliveries.webhooks.claim(group_id, worker=WORKER, max_duration=60)
    deliveries.run(group_id, -1, -1)
    assert server.received == []
    assert status(groups, group_id).state is WebhookState.FAILED


def test_those_that_are_due_are_sent_a_message(
    groups: GroupStore, deliveries: Deliveries, server: HostileServer, sent: Sent, redis: Redis
) -> None:
    group_id = ended(groups, server.url("/hook"), webhook_images=True)
    deliveries.run_due()
    assert sent.messages == []
    make_webhooks_due(redis, group_id)
    deliveries.run_due()
    assert set(sent.messages) == {DeliverWebhook(group_id, 0, 0), DeliverWebhook(group_id, 0, -1)}


def test_the_service_delivers_what_messages_ask_for(
    groups: GroupStore, redis: Redis, redis_url: str, server: HostileServer, tmp_path: Path
) -> None:
    redis.set(heartbeat_key(WORKER), "alive")
    settings = {
        "DARKROOM_OUTBOUND_ALLOW": "127.0.0.1",
        "DARKROOM_WEBHOOK_SECRET": SECRET,
        "DARKROOM_PUBLIC_URL": BASE,
    }
    celery = make_celery("test", publisher(Settings(redis_url=redis_url)))
    with live_consumer("outbound", Queue.OUTBOUND, redis_url, tmp_path, settings):
        group_id = ended(groups, server.url("/hook"))
        send(celery, DeliverWebhook(group_id))
        wait_for(lambda: status(groups, group_id).state is WebhookState.DELIVERED, limit=20, what="the webhook")
    assert verified(server.received[0])["data"]["status_url"] == f"{BASE}/status/{group_id}"
