"""Beyond the limits of what may wait, requests are refused, and leave nothing behind."""

import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from darkroom_api.app import create_app
from darkroom_api.settings import ApiSettings
from darkroom_contracts.problems import ProblemCode
from darkroom_contracts.queues import Queue
from darkroom_records.groups import GroupStore
from darkroom_runtime.queues import queue_length
from flask import Flask
from flask.testing import FlaskClient
from redis import Redis
from support.api_cases import files_in, png, post_files
from support.redis_keys import lasting_keys
from werkzeug.test import TestResponse

ADA = {"Authorization": "Bearer one"}
GRACE = {"Authorization": "Bearer two"}


@pytest.fixture
def app(redis: Redis, redis_url: str, tmp_path: Path) -> Iterator[Flask]:
    redis.ping()  # it is empty
    settings = {"api_keys": "ada:one,grace:two", "max_waiting_images": 10, "max_waiting_images_per_owner": 6}
    app = create_app(ApiSettings(redis_url=redis_url, storage_dir=tmp_path, **settings))  # type: ignore[arg-type]
    yield app
    app.extensions["darkroom"].close()


def submit(http: FlaskClient, number: int, whose: dict[str, str]) -> TestResponse:
    return post_files(http, [(f"{index}.png", png()) for index in range(number)], headers=whose)


def assert_full(answer: TestResponse) -> None:
    assert answer.status_code == 429
    assert answer.mimetype == "application/problem+json"
    assert answer.get_json()["code"] == ProblemCode.BACKLOG_FULL
    assert int(answer.headers["Retry-After"]) > 0


def test_what_would_wait_beyond_the_limits_is_refused_and_leaves_nothing(
    http: FlaskClient, redis: Redis, tmp_path: Path
) -> None:
    assert submit(http, 5, ADA).status_code == 202
    kept, records = files_in(tmp_path), lasting_keys(redis)
    assert_full(submit(http, 2, ADA))
    assert_full(
        http.post(
            "/blur", data={"email": "a@example.org", "images": [(_file(), "a.png"), (_file(), "b.png")]}, headers=ADA
        )
    )
    assert (files_in(tmp_path), lasting_keys(redis)) == (kept, records)
    assert submit(http, 5, GRACE).status_code == 202
    assert_full(submit(http, 1, GRACE))


def test_a_preflight_says_that_too_many_images_wait(http: FlaskClient) -> None:
    assert submit(http, 6, ADA).status_code == 202
    told = http.post("/preflight", data={"images": [(_file(), "a.png")]}, headers=ADA).get_json()
    assert (told["accepted"], told["status"], told["code"]) == (False, 429, ProblemCode.BACKLOG_FULL)


def test_a_cancelled_group_makes_room(http: FlaskClient) -> None:
    first = submit(http, 6, ADA).get_json()
    assert_full(submit(http, 1, ADA))
    assert http.post(first["cancel_url"]).status_code == 200
    assert submit(http, 6, ADA).status_code == 202


def test_a_retry_beyond_the_limits_is_refused_and_the_group_stays_ended(http: FlaskClient, store: GroupStore) -> None:
    group_id = submit(http, 2, ADA).get_json()["group_id"]
    for index in range(2):
        work = store.begin(group_id, index, worker="test", delivery=0)
        assert work is not None
        store.fail(work, "Damaged.", ProblemCode.DAMAGED_IMAGE)
    assert submit(http, 5, ADA).status_code == 202
    assert_full(http.post(f"/retry/{group_id}", headers=ADA))
    assert store.read(group_id).finished_at is not None


def test_the_queue_gets_a_window_and_control_says_how_many_images_wait(http: FlaskClient, redis: Redis) -> None:
    assert submit(http, 6, ADA).status_code == 202
    assert queue_length(redis, Queue.IMAGES) == 4
    (queue,) = [queue for queue in http.get("/control", headers=ADA).get_json()["queues"] if queue["name"] == "images"]
    assert (queue["length"], queue["waiting"]) == (4, 6)
    assert queue["oldest_seconds"] is not None
    assert "darkroom_images_waiting 6.0" in http.get("/metrics", headers=ADA).text


def _file() -> object:

    return io.BytesIO(png())
