"""Handing results out, one by one and together."""

import hashlib
import io
import json
import zipfile

import pytest
from darkroom_records.blobs import original_blob
from darkroom_records.groups import GroupStore
from flask import Flask
from flask.testing import FlaskClient
from support.api_cases import finish, png, post_files

RESULT = png("green")


@pytest.fixture
def group(app: Flask, http: FlaskClient, store: GroupStore) -> str:
    """A group of which one image is done, one failed, and one waits."""
    files = [("Grüße; a.jpg", png()), ("b.png", png()), ("c.png", png())]
    group_id: str = post_files(http, files, [{"op": "grayscale"}]).get_json()["group_id"]
    finish(store, app.extensions["darkroom"].storage, group_id, 0, RESULT)
    finish(store, app.extensions["darkroom"].storage, group_id, 1, None, "It is damaged.")
    return group_id


def test_a_result_comes_with_its_type_its_name_and_an_etag(http: FlaskClient, group: str) -> None:
    answer = http.get(f"/images/{group}/0", buffered=True)
    assert (answer.status_code, answer.data, answer.mimetype) == (200, RESULT, "image/png")
    assert answer.headers["ETag"] == f'"{hashlib.sha256(RESULT).hexdigest()}"'
    assert answer.headers["Content-Length"] == str(len(RESULT))
    assert "filename*=UTF-8''Gr%C3%BC%C3%9Fe%3B%20a.png" in answer.headers["Content-Disposition"]
    assert answer.headers["Cache-Control"] == "private"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in answer.headers["Content-Security-Policy"]


def test_a_result_that_is_known_is_not_sent_again(http: FlaskClient, group: str) -> None:
    etag = http.get(f"/images/{group}/0", buffered=True).headers["ETag"]
    answer = http.get(f"/images/{group}/0", headers={"If-None-Match": etag}, buffered=True)
    assert (answer.status_code, answer.data) == (304, b"")


def test_a_part_of_a_result_can_be_asked_for(http: FlaskClient, group: str) -> None:
    answer = http.get(f"/images/{group}/0", headers={"Range": "bytes=4-9"}, buffered=True)
    assert (answer.status_code, answer.data) == (206, RESULT[4:10])
    assert answer.headers["Content-Range"] == f"bytes 4-9/{len(RESULT)}"
    beyond = http.get(f"/images/{group}/0", headers={"Range": "bytes=100000-"}, buffered=True)
    assert (beyond.status_code, beyond.mimetype) == (416, "application/problem+json")
    assert beyond.headers["Content-Range"] == f"bytes */{len(RESULT)}"


def test_the_head_of_a_result_is_its_headers_alone(http: FlaskClient, group: str) -> None:
    answer = http.head(f"/images/{group}/0", buffered=True)
    assert (answer.status_code, answer.data) == (200, b"")
    assert answer.headers["Content-Length"] == str(len(RESULT))


@pytest.mark.parametrize(("index", "reason"), [(1, "it is failed: It is damaged."), (2, "it is queued.")])
def test_where_there_is_no_result_the_reason_is_told(http: FlaskClient, group: str, index: int, reason: str) -> None:
    answer = http.get(f"/images/{group}/{index}", buffered=True)
    assert answer.status_code == 404
    assert reason in answer.get_json()["detail"]


@pytest.mark.parametrize("index", ["3", "999999999999999999999", "-1", "x"])
def test_an_image_that_the_group_has_not_is_not_found(http: FlaskClient, group: str, index: str) -> None:
    answer = http.get(f"/images/{group}/{index}", buffered=True)
    assert (answer.status_code, answer.mimetype) == (404, "application/problem+json")


def test_the_original_can_be_had_back_as_it_was_sent(http: FlaskClient, group: str) -> None:
    answer = http.get(f"/images/{group}/2?original=true", buffered=True)
    assert (answer.status_code, answer.data, answer.mimetype) == (200, png(), "image/png")
    assert "c.png" in answer.headers["Content-Disposition"]


def test_a_file_that_is_gone_is_not_found(app: Flask, http: FlaskClient, group: str) -> None:
    app.extensions["darkroom"].storage.delete_all(original_blob(group, 0).rpartition("/")[0] + "/")
    assert http.get(f"/images/{group}/0?original=true", buffered=True).status_code == 404


def test_there_is_no_archive_of_a_group_that_is_not_done(http: FlaskClient, group: str) -> None:
    answer = http.get(f"/archive/{group}")
    assert answer.status_code == 409
    assert answer.headers["Retry-After"]


def test_the_archive_holds_every_result_and_a_manifest(
    app: Flask, http: FlaskClient, store: GroupStore, group: str
) -> None:
    finish(store, app.extensions["darkroom"].storage, group, 2, png("blue"))
    answer = http.get(f"/archive/{group}")
    assert answer.mimetype == "application/zip"
    assert int(answer.headers["Content-Length"]) == len(answer.data)
    assert f"darkroom-{group[:8]}.zip" in answer.headers["Content-Disposition"]
    with zipfile.ZipFile(io.BytesIO(answer.data)) as archive:
        assert archive.testzip() is None
        manifest = json.loads(archive.read("manifest.json"))
        files = [image["file"] for image in manifest["images"]]
        assert sorted(archive.namelist()) == sorted([*filter(None, files), "manifest.json"])
        assert archive.read(files[0]) == RESULT
    assert manifest["state"] == "partial"
    assert manifest["images"][0]["sha256"] == hashlib.sha256(RESULT).hexdigest()
    assert manifest["images"][1] | {"file": None} == manifest["images"][1]
    assert manifest["images"][1]["error"] == "It is damaged."
    assert manifest["images"][2]["operations"] == [{"op": "grayscale"}]
