"""Webhooks, as clients of the API see them."""

import base64
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from darkroom_api.app import create_app
from darkroom_api.settings import ApiSettings
from darkroom_contracts.problems import ProblemCode
from darkroom_contracts.queues import Queue
from darkroom_contracts.states import WebhookState
from darkroom_records.groups import GroupStore
from darkroom_records.webhooks import Result, WebhookStore
from darkroom_runtime.queues import queue_length
from flask import Flask
from flask.testing import FlaskClient
from redis import Redis
from standardwebhooks import Webhook
from support.api_cases import close, png, post_files
from support.hostile_server import answer, hostile_server
from support.live_consumer import live_consumer
from support.live_worker import live_worker
from support.waiting import wait_for

SECRET = "whsec_" + base64.b64encode(bytes(range(32))).decode()
PICTURE = base64.b64encode(png()).decode()
URL = "https://example.org/hook?token=secret"
TAKEN: dict[str, Any] = {"worker": "test", "max_duration": 60}


@pytest.fixture
def app(redis_url: str, storage_dir: Path) -> Iterator[Flask]:
    """The application, with a secret for webhooks."""
    settings = {"redis_url": redis_url, "storage_dir": storage_dir, "webhook_secret": SECRET}
    app = create_app(ApiSettings.model_validate(settings))
    yield app
    close(app)


@pytest.fixture
def webhooks(app: Flask) -> WebhookStore:
    found: WebhookStore = app.extensions["darkroom"].webhooks
    return found


def post(http: FlaskClient, **members: Any) -> str:
    answered = http.post("/process_images", json={"images": [PICTURE], "webhook_url": URL} | members)
    assert answered.status_code == 202, answered.text
    return str(answered.get_json()["group_id"])


def end(store: GroupStore, group_id: str) -> None:
    work = store.begin(group_id, 0, worker="test", delivery=0)
    assert work
    store.fail(work, "Damaged.", ProblemCode.DAMAGED_IMAGE)


def webhook(http: FlaskClient, group_id: str) -> Any:
    return http.get(f"/status/{group_id}?images=false").get_json()["webhook"]


def mistakes(answered: Any) -> list[str]:
    assert (answered.status_code, answered.get_json()["code"]) == (422, "validation_failed"), answered.text
    return [f"{mistake['where']}: {mistake['message']}" for mistake in answered.get_json()["errors"]]


def test_json_and_forms_say_what_is_told_where(http: FlaskClient, store: GroupStore) -> None:
    group = store.read(post(http))
    assert (group.webhook_url, group.webhook_images) == (URL, False)
    answered = post_files(http, [("a.png", png())], webhook_url=URL, webhook_events="images")
    group = store.read(answered.get_json()["group_id"])
    assert (group.webhook_url, group.webhook_images) == (URL, True)


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("ftp://example.org/", "must be an http or https URL"),
        ("example.org/hook", "is not a valid URL"),
        ("http:///hook", "is not a valid URL"),
        ("http://example.org:99999/", "is not a valid URL"),
        ("http://[::1/", "is not a valid URL"),
        ("http://example.org/a b", "is not a valid URL"),
        ("http://example.org\\@127.0.0.1/", "is not a valid URL"),
        (
            "http://ada:secret@example.org/",
            "must not contain a user name or password; use a token in its path or query",
        ),
    ],
)
def test_a_url_that_could_never_be_delivered_to_is_refused(http: FlaskClient, url: str, reason: str) -> None:
    answered = http.post("/process_images", json={"images": [PICTURE], "webhook_url": url})
    assert mistakes(answered) == [f"webhook_url: {reason}"]


def test_a_url_that_is_too_long_is_refused(http: FlaskClient) -> None:
    answered = http.post("/process_images", json={"images": [PICTURE], "webhook_url": f"{URL}{'x' * 2048}"})
    assert len(mistakes(answered)) == 1


def test_events_need_a_url_and_are_group_or_images(http: FlaskClient) -> None:
    answered = http.post("/process_images", json={"images": [PICTURE], "webhook_events": "images"})
    assert mistakes(answered) == ["webhook_events: needs a `webhook_url` to send them to"]
    assert http.post("/process_images", json={"images": [PICTURE], "webhook_events": "group"}).status_code == 202
    answered = http.post("/process_images", json={"images": [PICTURE], "webhook_url": URL, "webhook_events": "all"})
    assert len(mistakes(answered)) == 1


def test_without_a_secret_no_webhook_is_taken(redis_url: str, storage_dir: Path) -> None:
    app = create_app(ApiSettings(redis_url=redis_url, storage_dir=storage_dir))
    answered = app.test_client().post("/process_images", json={"images": [PICTURE], "webhook_url": URL})
    close(app)
    assert mistakes(answered) == [
        "webhook_url: webhooks are disabled until a secret to sign them with is set: DARKROOM_WEBHOOK_SECRET"
    ]


def test_the_status_says_how_the_webhook_stands_and_never_where_it_goes(
    http: FlaskClient, store: GroupStore, webhooks: WebhookStore
) -> None:
    group_id = post(http)
    waiting = {"state": "pending", "attempts": 0, "last_error": None, "code": None, "next_attempt_at": None}
    assert webhook(http, group_id) == waiting
    end(store, group_id)
    delivery = webhooks.claim(group_id, **TAKEN)
    assert delivery
    assert webhook(http, group_id)["state"] == "sending"
    webhooks.settle(delivery, Result(WebhookState.PENDING, "Slow.", ProblemCode.FETCH_TIMEOUT, wait=300))
    known = webhook(http, group_id)
    assert datetime.fromisoformat(known.pop("next_attempt_at")) > datetime.now(UTC)
    assert known == {"state": "pending", "attempts": 1, "last_error": "Slow.", "code": "fetch_timeout"}
    assert "example.org" not in http.get(f"/status/{group_id}").text
    assert http.get(f"/status/{post(http, webhook_url=None)}").get_json()["webhook"] is None


def test_the_last_one_is_sent_again(http: FlaskClient, store: GroupStore, webhooks: WebhookStore, redis: Redis) -> None:
    group_id = post(http)
    end(store, group_id)
    first = webhooks.claim(group_id, **TAKEN)
    assert first
    webhooks.settle(first, Result(WebhookState.DELIVERED))
    waiting = queue_length(redis, Queue.OUTBOUND)
    answered = http.post(f"/webhook/{group_id}")
    assert (answered.status_code, answered.headers["Location"]) == (202, f"/status/{group_id}")
    assert answered.get_json()["state"] == "pending"
    assert queue_length(redis, Queue.OUTBOUND) == waiting + 1
    again = webhooks.claim(group_id, **TAKEN)
    assert again
    assert again.webhook_id == first.webhook_id


def test_a_group_that_runs_is_unknown_or_has_none_sends_none_again(http: FlaskClient, store: GroupStore) -> None:
    running = post(http)
    answered = http.post(f"/webhook/{running}")
    assert (answered.status_code, answered.get_json()["code"]) == (409, "group_running")
    without = post(http, webhook_url=None)
    end(store, without)
    answered = http.post(f"/webhook/{without}")
    assert (answered.status_code, answered.get_json()["code"]) == (409, "no_webhook")
    assert http.post(f"/webhook/{'0' * 32}").status_code == 404


def test_a_cancelled_group_wakes_whoever_delivers_its_webhook(http: FlaskClient, redis: Redis) -> None:
    group_id = post(http)
    waiting = queue_length(redis, Queue.OUTBOUND)
    assert http.post(f"/cancel/{group_id}").status_code == 200
    assert queue_length(redis, Queue.OUTBOUND) == waiting + 1
    assert webhook(http, group_id)["next_attempt_at"]


@pytest.mark.usefixtures("redis")
def test_a_deleted_group_leaves_no_webhook(http: FlaskClient, store: GroupStore, webhooks: WebhookStore) -> None:
    group_id = post(http, webhook_events="images")
    end(store, group_id)
    assert http.delete(f"/groups/{group_id}").get_json()["webhooks"] == 2
    assert webhooks.claim(group_id, **TAKEN) is None
    assert webhooks.backlog().waiting == 0


@pytest.mark.usefixtures("redis")
def test_operators_see_how_many_are_still_to_be_delivered(http: FlaskClient, store: GroupStore) -> None:
    end(store, post(http))
    text = http.get("/metrics").text
    assert "darkroom_webhooks_pending 1.0" in text
    assert "darkroom_webhooks_overdue_seconds 0.0" in text


@pytest.mark.usefixtures("redis")
def test_from_submission_to_delivery(http: FlaskClient, redis_url: str, storage_dir: Path) -> None:
    allowed = {"DARKROOM_OUTBOUND_ALLOW": "127.0.0.1", "DARKROOM_WEBHOOK_SECRET": SECRET}
    with (
        hostile_server() as receiver,
        live_worker(redis_url, storage_dir),
        live_consumer("outbound", Queue.OUTBOUND, redis_url, storage_dir, allowed),
    ):
        receiver.answers["/hook"] = answer(200)
        group_id = post(http, webhook_url=receiver.url("/hook"), webhook_events="images")
        wait_for(lambda: len(receiver.received) >= 2, limit=30, what="both webhooks")
        wait_for(lambda: webhook(http, group_id)["state"] == "delivered", limit=10, what="what became of it")
    told = {
        document["type"]: document["data"]
        for received in receiver.received
        for document in [Webhook(SECRET).verify(received.body, received.headers)]
    }
    assert told["image.ended"]["state"] == "succeeded"
    assert told["image.ended"]["url"] == f"http://127.0.0.1:8000/images/{group_id}/0"
    assert told["group.ended"]["state"] == "completed"
    assert webhook(http, group_id)["attempts"] == 1
