"""Running the failed images of a group again."""

import pytest
from darkroom_contracts.ids import new_group_id
from darkroom_contracts.problems import ProblemCode
from darkroom_local import ports
from darkroom_records.groups import GroupStore, NewImage, Outcome
from flask import Flask
from flask.testing import FlaskClient
from support.free_ports import free_port


@pytest.fixture
def failed(store: GroupStore) -> str:
    """A group of three images: the first succeeded, the second failed, the third was refused from the start."""
    group_id = new_group_id()
    store.create(group_id, [NewImage("a.jpg"), NewImage("b.jpg"), NewImage("c.jpg", error="It is no image.")], ())
    first, second = (store.begin(group_id, index, worker="nobody", delivery=0) for index in (0, 1))
    assert first
    assert second
    store.succeed(first, Outcome(format="jpeg", width=1, height=1, bytes=1, sha256="0"))
    store.fail(second, "The storage did not answer.", ProblemCode.DAMAGED_IMAGE)
    return group_id


def states(http: FlaskClient, group_id: str) -> list[str]:
    return [image["state"] for image in http.get(f"/status/{group_id}").get_json()["images"]]


def test_only_what_failed_waits_again(http: FlaskClient, failed: str) -> None:
    answer = http.post(f"/retry/{failed}")
    assert answer.status_code == 202
    receipt = answer.get_json()
    assert (receipt["total"], receipt["retried"], receipt["status_url"]) == (3, 1, f"/status/{failed}")
    assert states(http, failed) == ["succeeded", "queued", "failed"]
    assert http.get(f"/status/{failed}").get_json()["finished_at"] is None


def test_a_running_group_is_not_run_again(http: FlaskClient, store: GroupStore) -> None:
    group_id = new_group_id()
    store.create(group_id, [NewImage("a.jpg")], ())
    assert http.post(f"/retry/{group_id}").status_code == 409


def test_a_group_whose_images_were_all_done_or_refused_is_not_run_again(http: FlaskClient, store: GroupStore) -> None:
    group_id = new_group_id()
    store.create(group_id, [NewImage("a.jpg", error="It is no image.")], ())
    answer = http.post(f"/retry/{group_id}")
    assert answer.status_code == 409
    assert "No failed images" in answer.get_json()["detail"]


def test_an_unknown_group_is_not_run_again(http: FlaskClient) -> None:
    assert http.post(f"/retry/{new_group_id()}").status_code == 404


def test_a_cancelled_group_runs_until_what_had_failed_is_done(http: FlaskClient, store: GroupStore) -> None:
    group_id = new_group_id()
    store.create(group_id, [NewImage("a.jpg"), NewImage("b.jpg")], ())
    work = store.begin(group_id, 0, worker="nobody", delivery=0)
    assert work
    store.fail(work, "The storage did not answer.", ProblemCode.DAMAGED_IMAGE)
    store.cancel(group_id)
    assert http.post(f"/retry/{group_id}").status_code == 202
    assert http.get(f"/status/{group_id}").get_json()["state"] == "processing"
    again = store.begin(group_id, 0, worker="nobody", delivery=0)
    assert again
    store.fail(again, "The storage did not answer.", ProblemCode.DAMAGED_IMAGE)
    assert http.get(f"/status/{group_id}").get_json()["state"] == "cancelled"


def test_without_a_queue_the_images_wait_to_be_sent_later(app: Flask, http: FlaskClient, failed: str) -> None:
    app.extensions["celery"].conf.broker_url = f"redis://{ports.HOST}:{free_port()}/0"
    answer = http.post(f"/retry/{failed}")
    assert answer.status_code == 503
    assert answer.headers["Retry-After"]
    assert states(http, failed) == ["succeeded", "queued", "failed"]
