"""Deleting a group: afterwards nothing of it is to be found."""

import base64
import io
import json
from pathlib import Path
from typing import Any

import pytest
from darkroom_contracts.ids import new_group_id
from darkroom_contracts.mail import Address
from darkroom_contracts.queues import Queue
from darkroom_records.groups import GroupStore, NewImage, Terms, UnknownGroupError
from darkroom_records.mail_limits import MailRequest
from darkroom_records.outbox import submit_results
from flask import Flask
from flask.testing import FlaskClient
from PIL import Image
from redis import Redis
from support.pictures import encode, photograph
from support.redis_keys import contents
from support.waiting import wait_for

LABOUR = [{"op": "sharpen", "radius": 40, "amount": 2}] * 20
"""More than ten seconds of work on a large image."""
ADDRESS = "somebody@example.org"
NAME = "a-name-of-its-own"


@pytest.fixture
def redis(app: Flask) -> Redis:
    """The Redis of all tests here, as it is: the worker's place in it is not to be lost."""
    found: Redis = app.extensions["darkroom"].redis
    return found


LARGE = encode(Image.new("RGB", (5000, 4000)), "PNG")
SMALL = encode(photograph())


def start(http: FlaskClient, image: bytes = SMALL, *, operations: Any = (), count: int = 3, **fields: str) -> str:
    files = [(io.BytesIO(image), f"{NAME}-{index}.jpg") for index in range(count)]
    answer = http.post(
        "/process_images",
        data={"images": files, "operations": json.dumps(operations), "email": ADDRESS, **fields},
        headers={"Idempotency-Key": f"{NAME}-{new_group_id()}"},
    )
    assert answer.status_code == 202, answer.text
    return str(answer.get_json()["group_id"])


def everything(redis: Redis, storage_dir: Path) -> str:
    """All that Redis and storage hold, with the bodies of messages as they are to be read."""
    kept = contents(redis)
    for queue in Queue:
        for message in redis.lrange(queue.value, 0, -1):
            kept[f"body of {queue.value}"] = base64.b64decode(json.loads(message)["body"])
    return repr(kept) + repr([str(file) for file in storage_dir.rglob("*")])


def test_nothing_is_left_of_a_group_that_waits(http: FlaskClient, redis: Redis, storage_dir: Path) -> None:
    group_id = start(http, count=10)
    assert group_id in everything(redis, storage_dir)
    answer = http.delete(f"/groups/{group_id}")
    assert answer.status_code == 200
    assert answer.get_json() == {
        "group_id": group_id,
        "images": 10,
        "results": 0,
        "uploads": 0,
        "emails": 0,
        "webhooks": 0,
    }
    left = everything(redis, storage_dir)
    for trace in (group_id, ADDRESS, NAME):
        assert trace not in left
    assert http.get(f"/status/{group_id}").status_code == 404
    assert http.delete(f"/groups/{group_id}").status_code == 404


@pytest.mark.usefixtures("worker")
def test_what_runs_is_stopped_first_and_leaves_nothing(http: FlaskClient, redis: Redis, storage_dir: Path) -> None:
    group_id = start(http, LARGE, operations=LABOUR, notify="true")

    def is_at_work() -> bool:
        states = [image["state"] for image in http.get(f"/status/{group_id}").get_json()["images"]]
        return "processing" in states

    wait_for(is_at_work, limit=60, what="an image to be begun")
    assert http.delete(f"/groups/{group_id}").status_code == 200
    other = start(http, count=1)
    wait_for(
        lambda: http.get(f"/status/{other}").get_json()["state"] == "completed", limit=60, what="the worker to go on"
    )
    assert http.delete(f"/groups/{other}").get_json()["results"] == 1
    left = everything(redis, storage_dir)
    for trace in (group_id, other, ADDRESS, NAME):
        assert trace not in left


def test_its_emails_go_with_it_whether_or_not_they_were_sent(
    app: Flask, http: FlaskClient, store: GroupStore, redis: Redis, storage_dir: Path
) -> None:
    group_id = new_group_id()
    terms = Terms(email=Address(ADDRESS))
    store.create(group_id, [NewImage(NAME, error="It is no image.")], (), terms)
    outbox = app.extensions["darkroom"].outbox
    email_id = submit_results(outbox, store.read(group_id), MailRequest(NAME))
    assert outbox.claim(email_id, worker="mail@a/1", max_duration=60)
    answer = http.delete(f"/groups/{group_id}")
    assert answer.get_json() == {
        "group_id": group_id,
        "images": 1,
        "results": 0,
        "uploads": 0,
        "emails": 1,
        "webhooks": 0,
    }
    left = everything(redis, storage_dir)
    assert group_id not in left
    assert email_id not in left


def test_no_email_is_written_down_about_a_group_that_is_gone(
    app: Flask, store: GroupStore, redis: Redis, storage_dir: Path
) -> None:
    group_id = new_group_id()
    store.create(group_id, [NewImage("a.jpg", error="It is no image.")], (), Terms(email=Address(ADDRESS)))
    group = store.read(group_id)
    store.delete(group_id)
    with pytest.raises(UnknownGroupError):
        submit_results(app.extensions["darkroom"].outbox, group, MailRequest("name"))
    assert "results:" not in everything(redis, storage_dir)


def test_its_files_are_deleted_later_where_the_storage_fails(
    app: Flask, http: FlaskClient, store: GroupStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    group_id = start(http)

    def fail(_: object, prefix: str) -> None:
        raise OSError(5, "Input/output error", prefix)

    monkeypatch.setattr(type(app.extensions["darkroom"].storage), "delete_all", fail)
    answer = http.delete(f"/groups/{group_id}")
    assert answer.status_code == 503
    assert store.erased()[-1] == group_id
    store.blobs_deleted(group_id)


def test_the_uploads_that_it_was_made_of_go_with_it(http: FlaskClient, redis: Redis, storage_dir: Path) -> None:
    sent = http.post("/images", data=SMALL, content_type="image/jpeg")
    image_id = sent.get_json()["image_id"]
    both = [http.post("/process_images", json={"images": [image_id]}).get_json()["group_id"] for _ in range(2)]
    assert http.delete(f"/groups/{both[0]}").get_json()["uploads"] == 1
    with http.get(f"/images/{both[1]}/0?original=true") as original:
        assert original.data == SMALL, "another group has what it was made of"
    assert http.delete(f"/groups/{both[1]}").status_code == 200
    left = everything(redis, storage_dir)
    for trace in (image_id, *both):
        assert trace not in left


def test_what_waits_to_be_fetched_is_taken_out_of_its_queue(http: FlaskClient, redis: Redis, storage_dir: Path) -> None:
    url = "https://images.example.org/holidays.jpg"
    group_id = http.post("/process_images", json={"images": [url]}).get_json()["group_id"]
    assert url in everything(redis, storage_dir)
    http.delete(f"/groups/{group_id}")
    left = everything(redis, storage_dir)
    assert url not in left
    assert group_id not in left
