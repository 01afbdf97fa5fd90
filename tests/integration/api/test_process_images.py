"""Taking groups in, with a real Redis and a real storage."""

import base64
import io
import json
from pathlib import Path

import pytest
from darkroom_contracts.pipelines import PipelineData
from darkroom_contracts.queues import Queue
from darkroom_imaging.operations import Blur, Grayscale, Operation, Resize, write_pipeline
from darkroom_records.blobs import original_blob
from darkroom_records.groups import GroupStore
from flask import Flask
from flask.testing import FlaskClient
from redis import Redis
from support.api_cases import png, post_files


@pytest.fixture
def queue(app: Flask) -> Redis:
    """The Redis of the application, with an empty queue."""
    redis: Redis = app.extensions["darkroom"].redis
    redis.delete(Queue.IMAGES)
    return redis


def waiting(redis: Redis) -> list[list[object]]:
    """The arguments of the messages that wait, oldest first."""
    messages = [json.loads(text) for text in reversed(redis.lrange(Queue.IMAGES, 0, -1))]
    return [json.loads(base64.b64decode(message["body"]))[0] for message in messages]


def written(*pipeline: Operation) -> PipelineData:
    return write_pipeline(pipeline)


def test_files_become_a_group_whose_images_wait(
    http: FlaskClient, store: GroupStore, queue: Redis, storage_dir: Path
) -> None:
    pictures = [("cat.png", png("red")), ("dog.png", png("blue"))]
    answer = post_files(http, pictures, [{"op": "blur", "radius": 7}], email="me@example.com")
    assert answer.status_code == 202
    receipt = answer.get_json()
    group_id = receipt["group_id"]
    assert receipt == {
        "group_id": group_id,
        "total": 2,
        "status_url": f"/status/{group_id}",
        "events_url": f"/events/{group_id}",
        "cancel_url": f"/cancel/{group_id}",
        "archive_url": f"/archive/{group_id}",
        "send_images_url": f"/send_images/{group_id}",
    }
    group = store.read(group_id)
    assert [image.name for image in group.images] == ["cat.png", "dog.png"]
    assert (group.pipeline, group.email) == (written(Blur(radius=7.0)), "me@example.com")
    assert [(storage_dir / original_blob(group_id, index)).read_bytes() for index in (0, 1)] == [
        data for _, data in pictures
    ]
    assert waiting(queue) == [[group_id, 0], [group_id, 1]]


def test_json_takes_base64_data_uris_and_objects(http: FlaskClient, store: GroupStore, storage_dir: Path) -> None:
    text = base64.b64encode(png()).decode()
    own = {"data": text, "name": "mine.png", "operations": [{"op": "grayscale"}]}
    body = {"images": [text, f"data:image/png;base64,{text}", own], "operations": [{"op": "resize", "width": 4}]}
    answer = http.post("/process_images", json=body)
    assert answer.status_code == 202
    group = store.read(answer.get_json()["group_id"])
    assert [image.name for image in group.images] == ["image-0", "image-1", "mine.png"]
    assert [image.pipeline for image in group.images] == [None, None, written(Grayscale())]
    assert group.pipeline == written(Resize(width=4))
    assert all((storage_dir / original_blob(group.group_id, index)).read_bytes() == png() for index in range(3))


def test_one_bad_image_fails_alone_and_is_never_sent(http: FlaskClient, queue: Redis, storage_dir: Path) -> None:
    answer = post_files(http, [("good.png", png()), ("bad.png", b"hello"), ("short.png", png()[:-20])])
    group_id = answer.get_json()["group_id"]
    status = http.get(f"/status/{group_id}").get_json()
    assert [image["state"] for image in status["images"]] == ["queued", "failed", "failed"]
    assert status["images"][1]["error"].startswith("Unsupported image format")
    assert status["images"][2]["error"] == "The PNG file ends too early; it is incomplete."
    assert [image["code"] for image in status["images"]] == [None, "unsupported_image", "damaged_image"]
    assert (status["status"], status["failed"]) == (2 / 3, 2)
    assert waiting(queue) == [[group_id, 0]]
    assert not (storage_dir / original_blob(group_id, 1)).exists()


def test_the_form_blurs_by_five_pixels_unless_told_otherwise(http: FlaskClient, store: GroupStore) -> None:
    for fields, radius in (({}, 5.0), ({"radius": "12.5"}, 12.5)):
        form = {"email": "me@example.com", "images": (io.BytesIO(png()), "a.png"), **fields}
        answer = http.post("/blur", data=form)
        assert answer.status_code == 202
        assert store.read(answer.get_json()["group_id"]).pipeline == written(Blur(radius=radius))


def test_the_request_id_travels_with_the_group_and_its_messages(
    http: FlaskClient, store: GroupStore, queue: Redis
) -> None:
    answer = post_files(http, [("a.png", png())], headers={"X-Request-ID": "request-0001"})
    assert answer.headers["X-Request-ID"] == "request-0001"
    assert store.read(answer.get_json()["group_id"]).request_id == "request-0001"
    message = json.loads(queue.lindex(Queue.IMAGES, 0))  # type: ignore[arg-type]  # as redis-py types it
    assert message["headers"]["request_id"] == "request-0001"


@pytest.mark.parametrize("given", ["short", "x" * 129, "with space", "<script>"])
def test_a_request_id_of_another_form_is_replaced(http: FlaskClient, given: str) -> None:
    assert http.get("/healthz", headers={"X-Request-ID": given}).headers["X-Request-ID"] != given
