"""Trying the queues out, with the real maintenance service."""

from functools import partial
from typing import Any

import pytest
from darkroom_contracts.ids import new_group_id, new_task_id
from darkroom_contracts.limits import MAX_COUNTS
from darkroom_contracts.messages import ExpireGroups
from darkroom_contracts.queues import Queue
from darkroom_records.groups import GroupStore, NewImage, Outcome
from darkroom_runtime.sending import send
from flask import Flask
from flask.testing import FlaskClient
from support.waiting import wait_for

LARGEST = 2**53 - 1

with_maintenance = pytest.mark.usefixtures("maintenance")


def started(http: FlaskClient, total: int) -> str:
    """The id of a task that counts."""
    answer = http.post("/tasks/count", json={"total": total})
    assert answer.status_code == 202
    return str(answer.get_json()["id"])


def progress(http: FlaskClient, task_id: str) -> int:
    """How far a task has come."""
    return int(http.get(f"/tasks/{task_id}").get_json()["progress"]["done"])


def end_of(http: FlaskClient, task_id: str) -> Any:
    """A task, once it has ended."""

    def ended() -> Any:
        task = http.get(f"/tasks/{task_id}").get_json()
        return task if task["ready"] else None

    return wait_for(ended, limit=30, what="the end of a task")


@with_maintenance
@pytest.mark.parametrize(("x", "y"), [(2, 3), (-7, 3), (0, -0), (LARGEST, LARGEST), (-LARGEST, -LARGEST)])
def test_two_numbers_are_added_by_the_maintenance_service(http: FlaskClient, x: int, y: int) -> None:
    answer = http.get(f"/add/{x}/{y}")
    assert answer.status_code == 202
    task = end_of(http, answer.get_json()["id"])
    assert (task["state"], task["successful"], task["value"]) == ("succeeded", True, x + y)


@pytest.mark.parametrize("x", ["a", "1.5", "1e3", "+1", "%201", "1_0", "٣", str(LARGEST + 1), "9" * 400])
def test_what_is_no_such_number_is_refused(http: FlaskClient, x: str) -> None:
    for path in (f"/add/{x}/1", f"/add/1/{x}"):
        answer = http.get(path)
        assert answer.status_code == 422
        assert answer.mimetype == "application/problem+json"


@with_maintenance
def test_a_count_reports_how_far_it_has_come(http: FlaskClient) -> None:
    task_id = started(http, 15)
    wait_for(lambda: 0 < http.get(f"/tasks/{task_id}").get_json()["progress"]["done"] < 15, limit=30, what="progress")
    task = end_of(http, task_id)
    assert task["value"] == 15
    assert task["progress"] == {"done": 15, "total": 15}


@with_maintenance
def test_a_cancelled_count_stops_and_leaves_its_service_to_others(http: FlaskClient) -> None:
    task_id = started(http, 600)
    wait_for(lambda: http.get(f"/tasks/{task_id}").get_json()["progress"]["done"], limit=30, what="progress")
    answer = http.post(f"/tasks/{task_id}/cancel")
    assert answer.status_code == 200
    cancelled = answer.get_json()
    assert (cancelled["state"], cancelled["ready"], cancelled["successful"]) == ("cancelled", True, False)
    assert end_of(http, http.get("/add/1/1").get_json()["id"])["value"] == 2
    assert http.get(f"/tasks/{task_id}").get_json() == cancelled


@with_maintenance
def test_as_many_counts_as_may_run_hold_up_neither_recovery_nor_an_addition(app: Flask, http: FlaskClient) -> None:
    answers = [http.post("/tasks/count", json={"total": 600}) for _ in range(MAX_COUNTS)]
    counts = [answer.get_json()["id"] for answer in answers]
    refused = http.post("/tasks/count", json={"total": 1})
    assert refused.status_code == 429
    assert refused.headers["Retry-After"]
    try:
        for count in counts:
            wait_for(partial(progress, http, count), limit=30, what="every count to have begun")
        assert end_of(http, http.get("/add/1/1").get_json()["id"])["value"] == 2
        send(app.extensions["celery"], ExpireGroups())
        # A message is taken only once there is a thread for it.
        wait_for(lambda: not app.extensions["darkroom"].redis.llen(Queue.MAINTENANCE), limit=10, what="housekeeping")
    finally:
        for count in counts:
            assert http.post(f"/tasks/{count}/cancel").status_code == 200
    assert http.post("/tasks/count", json={"total": 1}).status_code == 202


@with_maintenance
def test_an_ended_task_cannot_be_cancelled(http: FlaskClient) -> None:
    task_id = http.get("/add/1/1").get_json()["id"]
    end_of(http, task_id)
    assert http.post(f"/tasks/{task_id}/cancel").status_code == 409


@pytest.mark.parametrize(
    "body", ['{"total": 0}', '{"total": 601}', '{"total": "5"}', '{"total": 5, "to": 6}', "{}", "[]"]
)
def test_a_count_to_nowhere_is_refused(http: FlaskClient, body: str) -> None:
    assert http.post("/tasks/count", data=body, content_type="application/json").status_code == 422


def test_a_count_is_asked_for_in_json(http: FlaskClient) -> None:
    assert http.post("/tasks/count", data="{", content_type="application/json").status_code == 400
    assert http.post("/tasks/count", data={"total": "5"}).status_code == 415
    assert http.post("/tasks/count", data=b" " * 200_000, content_type="application/json").status_code == 413


@pytest.mark.parametrize("task_id", [new_task_id(), f"{new_group_id()}.0", "x" * 40, "x"])
def test_an_unknown_task_is_not_found(http: FlaskClient, task_id: str) -> None:
    assert http.get(f"/tasks/{task_id}").status_code == 404
    assert http.post(f"/tasks/{task_id}/cancel").status_code == 404


def test_an_image_is_a_task_that_ends_with_its_result(http: FlaskClient, store: GroupStore) -> None:
    group_id = new_group_id()
    store.create(group_id, [NewImage("a.jpg")], ())
    task = http.get(f"/tasks/{group_id}.0").get_json()
    assert (task["state"], task["ready"], task["progress"]) == ("queued", False, {"done": 0, "total": 1})
    work = store.begin(group_id, 0, worker="nobody", delivery=0)
    assert work
    store.succeed(work, Outcome(format="jpeg", width=1, height=1, bytes=1, sha256="0"))
    task = http.get(f"/tasks/{group_id}.0").get_json()
    assert (task["state"], task["value"]) == ("succeeded", f"/images/{group_id}/0")


def test_an_image_is_not_cancelled_by_itself(http: FlaskClient, store: GroupStore) -> None:
    group_id = new_group_id()
    store.create(group_id, [NewImage("a.jpg")], ())
    answer = http.post(f"/tasks/{group_id}.0/cancel")
    assert answer.status_code == 409
    assert "POST /cancel/{group_id}" in answer.get_json()["detail"]
