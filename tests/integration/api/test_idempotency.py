"""A request that is sent again makes nothing twice."""

import base64
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest
from darkroom_contracts.ids import new_group_id
from darkroom_maintenance.deletion import expire
from darkroom_records.groups import GroupStore, Turns
from flask import Flask
from flask.testing import FlaskClient
from redis import Redis
from support.api_cases import finish, png, post_files
from werkzeug.test import TestResponse


@pytest.fixture
def key() -> str:
    """A key that nobody has used."""
    return new_group_id()


def ask(http: FlaskClient, key: str, name: str = "a.png", radius: int = 5) -> TestResponse:
    return post_files(http, [(name, png())], [{"op": "blur", "radius": radius}], headers={"Idempotency-Key": key})


def running(app: Flask) -> int:
    redis: Redis = app.extensions["darkroom"].redis
    return len(redis.keys("darkroom:group:*:items"))


def test_the_same_request_with_the_same_key_makes_one_group(app: Flask, http: FlaskClient, key: str) -> None:
    first = ask(http, key)
    groups = running(app)
    second = ask(http, key)
    assert (first.status_code, second.status_code) == (202, 202)
    assert first.get_json() == second.get_json()
    assert running(app) == groups


def test_other_keys_and_no_keys_make_other_groups(http: FlaskClient, key: str) -> None:
    requests = [ask(http, key), ask(http, key + "2"), post_files(http, [("a.png", png())])]
    assert len({answer.get_json()["group_id"] for answer in requests}) == 3


def test_another_request_with_the_same_key_is_refused(http: FlaskClient, key: str) -> None:
    assert ask(http, key).status_code == 202
    for other in (ask(http, key, name="b.png"), ask(http, key, radius=6)):
        assert other.status_code == 422
        assert other.get_json()["error"] == "This Idempotency-Key was used for another request. Choose a new one."


def test_the_same_request_in_another_form_is_the_same_request(http: FlaskClient, key: str) -> None:
    item = {"data": base64.b64encode(png()).decode(), "name": "a.png"}
    body = {"images": [item], "operations": [{"radius": 5.0, "op": "blur"}]}
    first = ask(http, key)
    second = http.post("/process_images", json=body, headers={"Idempotency-Key": key})
    assert second.get_json() == first.get_json()


def test_a_refused_request_leaves_its_key_free(http: FlaskClient, key: str) -> None:
    assert post_files(http, [("a.png", b"hello")], headers={"Idempotency-Key": key}).status_code == 422
    assert ask(http, key).status_code == 202


def test_while_the_first_is_under_way_the_second_is_told_to_wait(
    http: FlaskClient, store: GroupStore, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, go_on = Event(), Event()
    confirm = store.confirm

    def slowly(group_id: str) -> Turns | None:
        begun.set()
        assert go_on.wait(30)
        return confirm(group_id)

    with ThreadPoolExecutor(1) as pool, monkeypatch.context() as patch:
        patch.setattr(store, "confirm", slowly)
        first = pool.submit(ask, http.application.test_client(), key)
        assert begun.wait(30)
        second = ask(http, key)
        go_on.set()
        assert first.result(30).status_code == 202
    assert second.status_code == 409
    assert second.headers["Retry-After"]
    assert ask(http, key).get_json() == first.result().get_json()


def test_many_equal_requests_at_once_make_one_group(http: FlaskClient, key: str) -> None:
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: ask(http.application.test_client(), key), range(16)))
    assert {answer.status_code for answer in answers} <= {202, 409}
    assert len({answer.get_json()["group_id"] for answer in answers if answer.status_code == 202}) == 1


@pytest.mark.parametrize("end", ["expiry", "deletion"])
def test_a_key_lives_no_longer_than_its_group(
    http: FlaskClient, app: Flask, store: GroupStore, key: str, end: str
) -> None:
    storage = app.extensions["darkroom"].storage
    first = ask(http, key).get_json()["group_id"]
    if end == "expiry":
        finish(store, storage, first, 0, png())
        expire(store, storage, keep_for=-60)
    else:
        store.delete(first)
    second = ask(http, key)
    assert second.status_code == 202
    assert second.get_json()["group_id"] != first
    assert http.get(f"/status/{second.get_json()['group_id']}").status_code == 200
    assert ask(http, key).get_json() == second.get_json()


@pytest.mark.parametrize("wrong", ["", "x" * 256, "a b", "ü"])
def test_a_key_of_another_form_is_refused(http: FlaskClient, wrong: str) -> None:
    assert ask(http, wrong).status_code == 422
