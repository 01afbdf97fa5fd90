"""Images sent ahead."""

import io
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from darkroom_api.app import create_app
from darkroom_api.settings import ApiSettings
from darkroom_records.blobs import LocalBlobStorage, upload_blob
from flask import Flask
from flask.testing import FlaskClient
from redis import Redis
from support.api_cases import MISSING, close, files_in, png
from support.live_api import live_api
from support.redis_keys import lasting_keys
from support.waiting import wait_for
from werkzeug.test import TestResponse

KEYS = {"mine": {"Authorization": "Bearer mine"}, "yours": {"Authorization": "Bearer yours"}}


@pytest.fixture
def storage_dir(tmp_path: Path) -> Path:
    return tmp_path


@pytest.fixture
def guarded(redis_url: str, storage_dir: Path) -> Iterator[FlaskClient]:
    """An API that asks for keys."""
    app = create_app(
        ApiSettings.model_validate({"redis_url": redis_url, "storage_dir": storage_dir, "api_keys": "mine,yours"})
    )
    yield app.test_client()
    close(app)


def send(http: FlaskClient, data: bytes | None = None, **options: Any) -> TestResponse:
    options.setdefault("content_type", "image/png")
    return http.post("/images", data=png() if data is None else data, **options)


def refused(answer: TestResponse, status: int, code: str, sentence: str) -> None:
    problem = answer.get_json()
    assert (answer.status_code, problem["code"]) == (status, code), problem
    assert sentence in problem["detail"]


@pytest.mark.parametrize("kind", ["image/png", "image/jpeg", "application/octet-stream", "image/x-whatever; a=b"])
def test_an_image_is_sent_as_the_body_with_a_type(http: FlaskClient, storage_dir: Path, kind: str) -> None:
    answer = send(http, content_type=kind)
    body = answer.get_json()
    assert answer.status_code == 201
    assert body == {"image_id": body["image_id"], "format": "png", "width": 8, "height": 6, "bytes": len(png())}
    assert http.get(answer.headers["Location"]).get_json() == body
    with LocalBlobStorage(storage_dir).open(upload_blob(body["image_id"])) as file:
        assert file.read() == png()


@pytest.mark.parametrize("field", ["image", "file"])
def test_an_image_is_sent_as_the_file_of_a_form(http: FlaskClient, field: str) -> None:
    answer = http.post("/images", data={field: (io.BytesIO(png()), "a.png")})
    assert (answer.status_code, answer.get_json()["width"]) == (201, 8)


def test_what_is_no_image_is_refused_with_its_reason_and_leaves_nothing(
    redis: Redis, http: FlaskClient, storage_dir: Path
) -> None:
    refused(send(http, b"hello"), 422, "unsupported_image", "Unsupported image format")
    refused(send(http, b""), 422, "damaged_image", "The file is empty")
    refused(send(http, png()[:-20]), 422, "damaged_image", "incomplete")
    refused(http.post("/images", data={"image": (io.BytesIO(b"x"), "a.png")}), 422, "unsupported_image", "Unsupported")
    assert files_in(storage_dir) == []
    assert lasting_keys(redis) == []


def test_what_is_too_large_is_refused(redis_url: str, storage_dir: Path) -> None:
    app = create_app(ApiSettings(redis_url=redis_url, storage_dir=storage_dir, max_image_bytes=50, max_pixels=40))
    http = app.test_client()
    refused(send(http), 413, "image_too_large", "The file is too large")
    assert files_in(storage_dir) == []
    close(app)


def test_a_form_has_one_file_and_nothing_else(http: FlaskClient, storage_dir: Path) -> None:
    for form in ({}, {"image": (io.BytesIO(), "")}):
        answer = http.post("/images", data=form, content_type="multipart/form-data")
        refused(answer, 400, "missing_images", "Send one file as `image`")
        assert answer.get_json()["error"] == MISSING
    two = {"image": [(io.BytesIO(png()), "a.png"), (io.BytesIO(png()), "b.png")]}
    refused(http.post("/images", data=two), 422, "validation_failed", "image: only one file")
    more = {"image": (io.BytesIO(png()), "a.png"), "colour": "red"}
    refused(http.post("/images", data=more), 422, "validation_failed", "colour: unknown field")
    nameless = b'--x\r\nContent-Disposition: form-data; name="\r\n\r\n1\r\n--x--\r\n'
    answer = http.post("/images", data=nameless, content_type="multipart/form-data; boundary=x")
    refused(answer, 422, "validation_failed", "unknown field")
    assert files_in(storage_dir) == []


@pytest.mark.parametrize("kind", ["", "text/plain", "application/json", "application/x-www-form-urlencoded"])
def test_other_types_are_refused(http: FlaskClient, kind: str) -> None:
    refused(send(http, content_type=kind), 415, "unsupported_media_type", "`image/jpeg`")


def test_an_upload_is_its_keys_own(guarded: FlaskClient) -> None:
    assert send(guarded).status_code == 401
    where = send(guarded, headers=KEYS["mine"]).headers["Location"]
    assert guarded.get(where, headers=KEYS["mine"]).status_code == 200
    refused(guarded.get(where, headers=KEYS["yours"]), 404, "upload_not_found", "No such upload")
    assert guarded.delete(where, headers=KEYS["yours"]).status_code == 404
    assert guarded.get(where).status_code == 401


def test_an_upload_can_be_deleted(redis: Redis, http: FlaskClient, storage_dir: Path) -> None:
    where = send(http).headers["Location"]
    assert http.delete(where).status_code == 204
    for answer in (http.delete(where), http.get(where), http.get("/images/nothing"), http.get(f"/images/{'0' * 32}")):
        refused(answer, 404, "upload_not_found", "No such upload")
    assert files_in(storage_dir) == []
    assert lasting_keys(redis) == []


@pytest.mark.usefixtures("redis")
def test_one_client_and_all_together_can_have_only_so_many_bytes(redis_url: str, storage_dir: Path) -> None:
    limits = {"max_upload_bytes_per_client": 70_000, "max_upload_bytes": 140_000}
    app = create_app(ApiSettings.model_validate({"redis_url": redis_url, "storage_dir": storage_dir} | limits))
    http = app.test_client()

    def from_(address: str) -> TestResponse:
        return send(http, environ_base={"REMOTE_ADDR": address})

    assert from_("192.0.2.1").status_code == 201
    refused(from_("192.0.2.1"), 429, "too_many_uploads", "You have too many images waiting to be used")
    assert from_("192.0.2.2").status_code == 201
    answer = from_("192.0.2.3")
    refused(answer, 429, "too_many_uploads", "This server has too many images waiting to be used")
    assert int(answer.headers["Retry-After"]) > 0
    assert len(files_in(storage_dir)) == 2
    close(app)


def test_an_upload_that_cannot_be_stored_leaves_no_record(
    redis: Redis, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: object, file: Path, key: str) -> None:
        raise OSError(28, "No space left on device", key, None, str(file))

    monkeypatch.setattr(LocalBlobStorage, "_keep", full)
    refused(send(app.test_client()), 507, "storage_full", "full")
    assert lasting_keys(redis) == []


def test_a_client_that_goes_away_in_the_middle_leaves_nothing(redis: Redis, redis_url: str, storage_dir: Path) -> None:
    head = b"POST /images HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: image/png\r\nContent-Length: 1000000\r\n\r\n"
    with live_api(redis_url, storage_dir) as api:
        address = urlsplit(api.url)
        with socket.create_connection((address.hostname, address.port), timeout=10) as client:
            client.sendall(head + png() + b"\0" * 500_000)
        answer = requests.post(f"{api.url}/images", data=b"x", headers={"Content-Type": "image/png"}, timeout=10)
        assert answer.status_code == 422, "it goes on with others"
        wait_for(lambda: not images_below(storage_dir), limit=10, what="its bytes to be gone")
    assert [key for key in lasting_keys(redis) if "upload" in key] == []


def images_below(folder: Path) -> list[str]:
    """What is kept or under way; bodies that are received have no name at all."""
    return [path for path in files_in(folder) if path.startswith(("uploads/", "incoming/"))]
