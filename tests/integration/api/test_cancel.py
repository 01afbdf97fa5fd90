"""Cancelling a group, with a real worker at work on it."""

import io
import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from darkroom_contracts.ids import new_group_id
from darkroom_records.blobs import group_blobs
from darkroom_records.groups import GroupStore, NewImage
from flask.testing import FlaskClient
from PIL import Image
from support.pictures import encode, photograph
from support.waiting import wait_for

pytestmark = pytest.mark.alone

# More than ten seconds of work: the test must catch it.
LABOUR = [{"op": "sharpen", "radius": 40, "amount": 2}] * 20
CANCEL_LIMIT = 1.5
"""Seconds: far more than a cancellation takes, and half of what it waits for a worker that does not answer."""
LARGE = encode(Image.new("RGB", (5000, 4000)), "PNG")
SMALL = encode(photograph())

with_worker = pytest.mark.usefixtures("worker")


def start(http: FlaskClient, images: Sequence[bytes], operations: Sequence[object]) -> str:
    files = [(io.BytesIO(data), f"{index}.jpg") for index, data in enumerate(images)]
    answer = http.post("/process_images", data={"images": files, "operations": json.dumps(operations)})
    assert answer.status_code == 202, answer.text
    return str(answer.get_json()["group_id"])


def status(http: FlaskClient, group_id: str) -> Any:
    return http.get(f"/status/{group_id}").get_json()


def wait_for_state(http: FlaskClient, group_id: str, index: int, state: str) -> None:
    wait_for(
        lambda: status(http, group_id)["images"][index]["state"] == state, limit=60, what=f"image {index} to be {state}"
    )


def files_of(storage_dir: Path, group_id: str) -> dict[Path, int]:
    """What is stored of a group, and when each file was written."""
    folder = storage_dir / group_blobs(group_id)
    return {file: file.stat().st_mtime_ns for file in folder.rglob("*")}


@with_worker
def test_what_runs_is_stopped_and_the_worker_goes_on_with_other_groups(http: FlaskClient, storage_dir: Path) -> None:
    group_id = start(http, [LARGE, LARGE], LABOUR)
    wait_for_state(http, group_id, 0, "processing")
    answer = http.post(f"/cancel/{group_id}")
    assert answer.status_code == 200
    assert answer.get_json() == {
        "group_id": group_id,
        "state": "cancelled",
        "finished": 0,
        "aborted": 1,
        "never_started": 1,
    }
    after, files = status(http, group_id), files_of(storage_dir, group_id)
    assert [image["state"] for image in after["images"]] == ["cancelled", "cancelled"]
    other = start(http, [SMALL], [])
    # With one process in its pool, the worker gets to this one only when the first was stopped.
    wait_for_state(http, other, 0, "succeeded")
    assert status(http, group_id) == after
    assert files_of(storage_dir, group_id) == files


@pytest.mark.slow
@with_worker
def test_fifty_cancellations_at_any_moment_of_the_work_all_answer_at_once(http: FlaskClient) -> None:
    # Images of some 50 ms each: some end just between their cancellation and the word to their worker.
    small = encode(photograph(300, 200))
    slowest = 0.0
    for moment in range(50):
        group_id = start(http, [small] * 25, [{"op": "sharpen", "radius": 20}] * 20)
        wait_for_state(http, group_id, 0, "succeeded")
        time.sleep(moment * 0.001)
        began = time.monotonic()
        assert http.post(f"/cancel/{group_id}").status_code == 200
        slowest = max(slowest, time.monotonic() - began)
    assert slowest < CANCEL_LIMIT, "it waits for nobody who has ended already"


@with_worker
def test_results_already_made_stay(http: FlaskClient) -> None:
    group_id = start(http, [SMALL, LARGE], LABOUR)
    wait_for_state(http, group_id, 0, "succeeded")
    wait_for_state(http, group_id, 1, "processing")
    receipt = http.post(f"/cancel/{group_id}").get_json()
    assert (receipt["finished"], receipt["aborted"], receipt["never_started"]) == (1, 1, 0)
    with http.get(f"/images/{group_id}/0") as result:
        assert result.status_code == 200
    assert http.get(f"/images/{group_id}/1").status_code == 404


def test_a_group_that_nobody_began_is_cancelled_without_a_worker(http: FlaskClient, store: GroupStore) -> None:
    group_id = new_group_id()
    store.create(group_id, [NewImage("a.jpg"), NewImage("b.jpg", error="It is no image.")], ())
    receipt = http.post(f"/cancel/{group_id}").get_json()
    assert (receipt["finished"], receipt["aborted"], receipt["never_started"]) == (1, 0, 1)


def test_an_image_of_a_worker_that_died_keeps_nobody_waiting(http: FlaskClient, store: GroupStore) -> None:
    group_id = new_group_id()
    store.create(group_id, [NewImage("a.jpg")], ())
    assert store.begin(group_id, 0, worker="dead", delivery=0)
    assert http.post(f"/cancel/{group_id}").get_json()["aborted"] == 1


def test_a_group_that_has_ended_cannot_be_cancelled(http: FlaskClient, store: GroupStore) -> None:
    group_id = new_group_id()
    store.create(group_id, [NewImage("a.jpg")], ())
    assert http.post(f"/cancel/{group_id}").status_code == 200
    assert http.post(f"/cancel/{group_id}").status_code == 409


def test_an_unknown_group_cannot_be_cancelled(http: FlaskClient) -> None:
    answer = http.post(f"/cancel/{new_group_id()}")
    assert answer.status_code == 404
    assert answer.get_json()["error"] == "Invalid group_id"
