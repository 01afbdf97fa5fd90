"""Images that are named in place of being sent: uploads, originals of earlier groups, URLs."""

import base64
import io
import json
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from darkroom_api.app import create_app
from darkroom_api.settings import ApiSettings
from darkroom_contracts.ids import new_group_id
from darkroom_contracts.messages import FetchImage, ProcessImage
from darkroom_contracts.problems import ProblemCode
from darkroom_contracts.states import ImageState
from darkroom_records.blobs import LocalBlobStorage, original_blob, overlay_blob, upload_blob
from darkroom_records.groups import GroupStore, Image
from darkroom_records.uploads import UploadStore
from flask import Flask
from flask.testing import FlaskClient
from PIL import Image as Picture
from redis import Redis
from support.api_cases import close, finish, png, post_files
from support.waiting import wait_for
from werkzeug.test import TestResponse

UNKNOWN = "0" * 32
URL = "https://example.com/holiday/sea%20side.jpg?size=large"
DATA = base64.b64encode(png("blue")).decode()
BLUR = [{"op": "blur", "radius": 2}]


@pytest.fixture
def storage(storage_dir: Path) -> LocalBlobStorage:
    return LocalBlobStorage(storage_dir)


@pytest.fixture
def redis(app: Flask) -> Redis:
    """The application's Redis, with whatever is in it."""
    found: Redis = app.extensions["darkroom"].redis
    return found


def upload(http: FlaskClient, data: bytes | None = None, name: str | None = None, **options: Any) -> str:
    data = png() if data is None else data
    body: Any = data if name is None else {"image": (io.BytesIO(data), name)}
    kind = "image/png" if name is None else "multipart/form-data"
    answer = http.post("/images", data=body, content_type=kind, **options)
    assert answer.status_code == 201, answer.get_json()
    return str(answer.get_json()["image_id"])


def download(http: FlaskClient, path: str) -> bytes:
    with closing(http.get(path)) as answer:
        return bytes(answer.data)


def post(
    http: FlaskClient, images: list[Any], headers: Mapping[str, str] | None = None, **members: Any
) -> TestResponse:
    return http.post("/process_images", json={"images": images, **members}, headers=dict(headers or {}))


def create(http: FlaskClient, *images: Any, **members: Any) -> str:
    answer = post(http, list(images), **members)
    assert answer.status_code == 202, answer.get_json()
    return str(answer.get_json()["group_id"])


def images_of(store: GroupStore, group_id: str) -> tuple[Image, ...]:
    return store.read(group_id).images


def sent(redis: Redis, queue: str, group_id: str) -> list[tuple[str, int]]:
    """The tasks that wait in a queue for images of this group, with their indices."""
    found = []
    for text in redis.lrange(queue, 0, -1):
        message = json.loads(text)
        (group, index), _, _ = json.loads(base64.b64decode(message["body"]))
        if group == group_id:
            found.append((message["headers"]["task"], index))
    return sorted(found)


def inode(storage_dir: Path, key: str) -> int:
    return (storage_dir / key).stat().st_ino


def test_an_item_by_id_by_url_by_earlier_group_and_data_stand_in_one_list(
    http: FlaskClient, store: GroupStore, redis: Redis, storage_dir: Path
) -> None:
    image_id = upload(http, name="cat.png")
    earlier = post_files(http, [("first.png", png()), ("second.png", png("green"))]).get_json()["group_id"]
    group_id = create(
        http,
        image_id,
        URL,
        DATA,
        {"group_id": earlier, "index": 1},
        {"image_id": image_id, "name": "dog.png", "operations": BLUR},
        {"url": URL, "name": "beach.jpg"},
    )
    images = images_of(store, group_id)
    assert [image.state for image in images] == [ImageState.QUEUED] * 6
    assert [image.name for image in images] == [
        "cat.png", "sea side.jpg", "image-2", "second.png", "dog.png", "beach.jpg",
    ]  # fmt: skip
    assert [image.image_id for image in images] == [image_id, None, None, None, image_id, None]
    assert images[4].pipeline is not None
    assert images[4].pipeline[0]["radius"] == 2
    assert sent(redis, "images", group_id) == [(ProcessImage.name, index) for index in (0, 2, 3, 4)]
    assert sent(redis, "outbound", group_id) == [(FetchImage.name, index) for index in (1, 5)]
    fetch = store.begin_fetch(group_id, 1, worker="test", delivery=0)
    assert fetch is not None
    assert fetch.url == URL
    for index in (0, 4):  # the disk has the bytes once
        assert inode(storage_dir, original_blob(group_id, index)) == inode(storage_dir, upload_blob(image_id))
    assert inode(storage_dir, original_blob(group_id, 3)) == inode(storage_dir, original_blob(earlier, 1))


def test_what_cannot_be_had_fails_alone_with_its_reason(http: FlaskClient, store: GroupStore) -> None:
    damaged = post_files(http, [("a.png", png()), ("b.png", b"hello")]).get_json()["group_id"]
    from_url = create(http, URL)
    group_id = create(
        http,
        DATA,
        UNKNOWN,
        {"image_id": UNKNOWN, "name": "a.png"},
        {"group_id": UNKNOWN, "index": 0},
        {"group_id": damaged, "index": 1},
        {"group_id": damaged, "index": 2},
        {"group_id": from_url, "index": 0},
        "http://",
        {"url": "ftp://example.com/a.jpg"},
        "https://me:secret@example.com/a.jpg",
        "https://example.com:99999/a.jpg",
        "https://example.com/a b.jpg",
        "https://example.com/" + "a" * 5000,
    )
    first, *others = images_of(store, group_id)
    assert first.state is ImageState.QUEUED
    assert {image.state for image in others} == {ImageState.FAILED}
    assert [image.outcome.code for image in others] == [
        *[ProblemCode.UPLOAD_NOT_FOUND] * 2,
        *[ProblemCode.ORIGINAL_MISSING] * 4,
        *[ProblemCode.INVALID_URL] * 6,
    ]
    reasons = [image.outcome.error for image in others]
    assert reasons[0] == "No such upload. It may have been dropped because nothing used it."
    assert reasons[2] == "The original is not available. Its group may have expired."
    assert [str(reason).partition(":")[0].partition(";")[0] for reason in reasons[6:]] == [
        "The URL has no host.",
        "Only http and https URLs can be fetched.",
        "The URL must not contain a user name or password.",
        "The URL cannot be parsed.",
        "The URL contains spaces, backslashes or control characters",
        "The URL is too long",
    ]


@pytest.mark.parametrize(
    ("item", "code"),
    [
        (UNKNOWN, "upload_not_found"),
        ({"group_id": UNKNOWN, "index": 0}, "original_missing"),
        ({"url": "ftp://example.com/a.jpg"}, "invalid_url"),
    ],
)
def test_where_nothing_can_be_had_the_request_is_refused(http: FlaskClient, item: Any, code: str) -> None:
    answer = post(http, [item])
    assert (answer.status_code, answer.get_json()["code"]) == (422, code)
    assert answer.get_json()["error"].startswith("images[0]: ")


def test_an_upload_belongs_to_its_key(redis_url: str, storage_dir: Path) -> None:
    settings = {"redis_url": redis_url, "storage_dir": storage_dir, "api_keys": "mine,yours"}
    app = create_app(ApiSettings.model_validate(settings))
    http = app.test_client()
    mine, yours = ({"Authorization": f"Bearer {key}"} for key in ("mine", "yours"))
    image_id = upload(http, headers=mine)
    mark = [{"op": "watermark", "image_id": image_id}]
    assert post(http, [image_id], mine, operations=mark).status_code == 202
    for answer in (post(http, [image_id], yours), post(http, [DATA], yours, operations=mark)):
        assert (answer.status_code, answer.get_json()["code"]) == (422, "upload_not_found")
    close(app)


def test_an_upload_that_watermarks_show_is_kept_with_the_group(
    http: FlaskClient, store: GroupStore, storage_dir: Path
) -> None:
    one, two = upload(http), upload(http)
    group_id = create(
        http,
        DATA,
        {"data": DATA, "operations": [{"op": "watermark", "image_id": two}]},
        operations=[{"op": "watermark", "image_id": one}],
    )
    for image_id in (one, two):
        assert inode(storage_dir, overlay_blob(group_id, image_id)) == inode(storage_dir, upload_blob(image_id))
    assert store.read(group_id).pipeline[0]["image_id"] == one


def test_a_request_sent_again_is_the_same_even_after_its_upload_was_dropped(app: Flask, http: FlaskClient) -> None:
    uploads: UploadStore = app.extensions["darkroom"].uploads
    image_id, other, key = upload(http, name="a.png"), upload(http), {"Idempotency-Key": new_group_id()}
    first = post(http, [image_id, URL], key)
    assert first.status_code == 202
    uploads.erase([image_id])
    assert post(http, [image_id, URL], key).get_json() == first.get_json()
    for images in ([other, URL], [image_id, URL + "&more"], [image_id, {"url": URL, "name": "b.jpg"}]):
        answer = post(http, images, key)
        assert (answer.status_code, answer.get_json()["code"]) == (422, "idempotency_key_reused")


def test_the_original_outlives_the_upload(http: FlaskClient, store: GroupStore, storage: LocalBlobStorage) -> None:
    image_id = upload(http)
    group_id = create(http, image_id)
    http.delete(f"/images/{image_id}")
    assert not storage.exists(upload_blob(image_id))
    assert download(http, f"/images/{group_id}/0?original=true") == png()
    finish(store, storage, group_id, 0, png())
    assert http.get(f"/status/{group_id}").get_json()["state"] == "completed"


def test_an_upload_that_vanishes_while_it_is_taken_in_fails_alone(
    http: FlaskClient, store: GroupStore, storage: LocalBlobStorage, redis: Redis
) -> None:
    image_id = upload(http)
    storage.delete(upload_blob(image_id))  # its record is still there
    group_id = create(http, image_id, DATA, operations=[{"op": "watermark", "image_id": image_id}])
    assert [image.state for image in images_of(store, group_id)] == [ImageState.QUEUED] * 2
    assert sent(redis, "images", group_id) == [(ProcessImage.name, 0), (ProcessImage.name, 1)]


def test_an_image_that_could_not_be_fetched_is_fetched_again_on_retry(
    http: FlaskClient, store: GroupStore, redis: Redis, storage: LocalBlobStorage
) -> None:
    group_id = create(http, URL, DATA)
    fetch = store.begin_fetch(group_id, 0, worker="test", delivery=0)
    assert fetch is not None
    store.fail_fetch(fetch, "Not found.", ProblemCode.URL_NOT_FOUND)
    finish(store, storage, group_id, 1, None)
    redis.delete("images", "outbound")
    answer = http.post(f"/retry/{group_id}")
    assert (answer.status_code, answer.get_json()["retried"]) == (202, 2)
    assert sent(redis, "outbound", group_id) == [(FetchImage.name, 0)]
    assert sent(redis, "images", group_id) == [(ProcessImage.name, 1)]


@pytest.fixture
def _clean(redis: Redis) -> Iterator[None]:
    """No messages of other tests."""
    redis.delete("images")
    yield
    redis.delete("images")


@pytest.mark.usefixtures("_clean", "worker")
def test_uploads_are_processed_with_their_watermark_and_again_from_the_earlier_group(http: FlaskClient) -> None:
    image_id, mark = upload(http, png("white", (64, 64))), upload(http, png("black", (8, 8)))
    operations = [{"op": "watermark", "image_id": mark, "opacity": 1, "scale": 0.5, "position": "top-left"}]
    first = create(http, image_id, operations=operations)
    second = create(http, {"group_id": first, "index": 0}, operations=[{"op": "resize", "width": 32}])

    def ended(group_id: str) -> bool:
        return bool(http.get(f"/status/{group_id}").get_json()["finished_at"])

    wait_for(lambda: ended(first) and ended(second), limit=30, what="both groups")
    marked = Picture.open(io.BytesIO(download(http, f"/images/{first}/0"))).convert("L")
    assert marked.crop((4, 4, 8, 8)).getextrema() == (0, 0), "the mark"
    assert marked.crop((56, 56, 60, 60)).getextrema() == (255, 255)
    again = Picture.open(io.BytesIO(download(http, f"/images/{second}/0")))
    assert again.size == (32, 32)
    assert again.convert("L").getextrema() == (255, 255), "made from the original, not from the result"
