"""How a group stands, now and as soon as it changes."""

import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from darkroom_api.app import create_app
from darkroom_api.settings import ApiSettings
from darkroom_contracts.ids import new_group_id
from darkroom_records.groups import GroupStore, NewImage
from flask import Flask
from flask.testing import FlaskClient
from redis import Redis
from support.api_cases import close, finish, png


@pytest.fixture
def group(store: GroupStore) -> str:
    """A group of two images that nobody works on."""
    group_id = new_group_id()
    store.create(group_id, [NewImage("a.png"), NewImage("b.png")], ())
    return group_id


class Waiter:
    """A request that is answered some time later."""

    def __init__(self, app: Flask, path: str, headers: dict[str, str] | None = None) -> None:
        self.answer: Any = None
        self._app = app
        self._thread = threading.Thread(target=self._ask, args=(path, headers or {}))
        self._thread.start()

    def end(self) -> Any:
        self._thread.join(timeout=30)
        assert self.answer is not None, "there was no answer"
        return self.answer

    def _ask(self, path: str, headers: dict[str, str]) -> None:
        self.answer = self._app.test_client().get(path, headers=headers)


def test_a_group_is_described(http: FlaskClient, store: GroupStore, app: Flask, group: str) -> None:
    finish(store, app.extensions["darkroom"].storage, group, 0, png())
    status = http.get(f"/status/{group}").get_json()
    created = datetime.fromisoformat(status.pop("created_at"))
    assert created.tzinfo == UTC
    assert status == {
        "group_id": group,
        "status": 0.5,
        "state": "processing",
        "completed": 1,
        "failed": 0,
        "cancelled": 0,
        "expired": 0,
        "expires_at": None,
        "deadline": None,
        "outputs": [],
        "webhook": None,
        "recovering": 0,
        "email_error": None,
        "total": 2,
        "finished_at": None,
        "images": [
            {
                "index": 0,
                "name": "a.png",
                "file": "a.png",
                "state": "succeeded",
                "error": None,
                "code": None,
                "url": f"/images/{group}/0",
                "width": 8,
                "height": 6,
                "bytes": len(png()),
            },
            {
                "index": 1,
                "name": "b.png",
                "file": None,
                "state": "queued",
                "error": None,
                "code": None,
                "url": None,
                "width": None,
                "height": None,
                "bytes": None,
            },
        ],
    }


def test_an_ended_group_says_when_and_why(http: FlaskClient, store: GroupStore, app: Flask, group: str) -> None:
    finish(store, app.extensions["darkroom"].storage, group, 0, png())
    finish(store, app.extensions["darkroom"].storage, group, 1, None, "It is damaged.")
    status = http.get(f"/status/{group}").get_json()
    assert (status["state"], status["status"], status["failed"]) == ("partial", 1.0, 1)
    assert status["finished_at"] >= status["created_at"]
    assert status["images"][1]["error"] == "It is damaged."


def test_the_images_can_be_left_out(http: FlaskClient, group: str) -> None:
    assert "images" not in http.get(f"/status/{group}?images=false").get_json()
    assert len(http.get(f"/status/{group}?images=true").get_json()["images"]) == 2


@pytest.mark.parametrize("query", ["images=yes", "images=0", "wait=-1", "wait=61", "wait=soon"])
def test_a_wrong_query_is_refused(http: FlaskClient, group: str, query: str) -> None:
    answer = http.get(f"/status/{group}?{query}")
    assert answer.status_code == 422
    assert answer.get_json()["error"].startswith(query.split("=")[0] + ": ")


def test_what_has_not_changed_is_not_sent_again(http: FlaskClient, store: GroupStore, app: Flask, group: str) -> None:
    etag = http.get(f"/status/{group}").headers["ETag"]
    again = http.get(f"/status/{group}", headers={"If-None-Match": etag})
    assert (again.status_code, again.data) == (304, b"")
    # Another question has another answer.
    assert http.get(f"/status/{group}?images=false", headers={"If-None-Match": etag}).status_code == 200
    finish(store, app.extensions["darkroom"].storage, group, 0, png())
    assert http.get(f"/status/{group}", headers={"If-None-Match": etag}).status_code == 200


def test_who_waits_is_answered_when_something_changes(
    http: FlaskClient, store: GroupStore, app: Flask, group: str
) -> None:
    etag = http.get(f"/status/{group}").headers["ETag"]
    waiters = [Waiter(app, f"/status/{group}?wait=60", {"If-None-Match": etag}) for _ in range(3)]
    finish(store, app.extensions["darkroom"].storage, group, 1, png())
    for waiter in waiters:
        assert waiter.end().status_code == 200


def test_who_waits_in_vain_is_answered_in_the_end(http: FlaskClient, group: str) -> None:
    etag = http.get(f"/status/{group}").headers["ETag"]
    assert http.get(f"/status/{group}?wait=1", headers={"If-None-Match": etag}).status_code == 304
    assert http.get(f"/status/{group}?wait=1").status_code == 200


def test_nobody_waits_for_what_has_changed_already(
    http: FlaskClient, store: GroupStore, app: Flask, group: str
) -> None:
    etag = http.get(f"/status/{group}").headers["ETag"]
    finish(store, app.extensions["darkroom"].storage, group, 0, png())
    late = Waiter(app, f"/status/{group}?wait=60", {"If-None-Match": etag})
    assert late.end().get_json()["completed"] == 1


def test_nobody_waits_for_a_group_that_has_ended(http: FlaskClient, store: GroupStore, app: Flask, group: str) -> None:
    for index in (0, 1):
        finish(store, app.extensions["darkroom"].storage, group, index, png())
    etag = http.get(f"/status/{group}").headers["ETag"]
    late = Waiter(app, f"/status/{group}?wait=60", {"If-None-Match": etag})
    assert late.end().status_code == 304


def test_where_too_many_wait_the_next_is_answered_at_once(redis_url: str, storage_dir: Path, group: str) -> None:
    app = create_app(ApiSettings(redis_url=redis_url, storage_dir=storage_dir, max_streams=1))
    with (
        app.extensions["darkroom"].changes.watch(group) as first,
        app.extensions["darkroom"].changes.watch(group) as second,
    ):
        assert (first is None, second is None) == (False, True)
        late = Waiter(app, f"/status/{group}?wait=60")
        assert late.end().status_code == 200
    close(app)


def test_who_waits_is_let_go_when_the_server_stops(app: Flask, group: str) -> None:
    waiter = Waiter(app, f"/status/{group}?wait=60")
    app.extensions["darkroom"].changes.close()
    assert waiter.end().status_code == 200


def test_a_large_group_costs_no_more_commands_than_a_small_one(
    app: Flask, http: FlaskClient, store: GroupStore
) -> None:
    def cost(images: int, query: str) -> int:
        group_id = new_group_id()
        store.create(group_id, [NewImage("a.png")] * images, ())
        before = int(redis.info("stats")["total_commands_processed"])
        http.get(f"/status/{group_id}?images={query}")
        return int(redis.info("stats")["total_commands_processed"]) - before

    redis: Redis = app.extensions["darkroom"].redis
    http.get(f"/status/{new_group_id()}")
    # One transaction, and the question for the numbers itself.
    assert cost(1, "true") == cost(300, "true") == 8
    assert cost(1, "false") == cost(300, "false") == 3
