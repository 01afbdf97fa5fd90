"""The API and a worker over a bucket: nothing is shared but Redis and the bucket, and results come from either."""

import hashlib
import io
import zipfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests
from darkroom_api.app import create_app
from darkroom_api.settings import ApiSettings
from darkroom_contracts.states import GroupState
from darkroom_records.blobs import original_blob, result_blob
from darkroom_records.groups import GroupStore
from flask import Flask
from flask.testing import FlaskClient
from support.api_cases import finish, png, post_files
from support.broken_s3 import BrokenS3
from support.live_worker import live_worker
from support.s3_server import KEYS, S3Server
from support.waiting import wait_for

RESULT = png("green")
ETAG = f'"{hashlib.sha256(RESULT).hexdigest()}"'


@pytest.fixture(scope="module")
def bucket(s3_server: S3Server) -> str:
    return s3_server.make_bucket()


@pytest.fixture
def app(
    redis_url: str, s3_server: S3Server, bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Flask]:
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)
    settings = {"redis_url": redis_url, "storage_dir": tmp_path / "api", "storage_url": s3_server.setting(bucket)}
    app = create_app(ApiSettings.model_validate(settings))
    yield app
    app.extensions["darkroom"].close()


@pytest.fixture
def redirecting(app: Flask, redis_url: str, s3_server: S3Server, bucket: str, tmp_path: Path) -> Iterator[FlaskClient]:
    """The same, with results fetched from the bucket itself."""
    settings = {"redis_url": redis_url, "storage_dir": tmp_path / "api", "storage_url": s3_server.setting(bucket)}
    app = create_app(ApiSettings.model_validate(settings | {"storage_redirect": True}))
    yield app.test_client()
    app.extensions["darkroom"].close()


@pytest.fixture
def group(app: Flask, http: FlaskClient, store: GroupStore) -> str:
    """A group of which one image is done, and one waits."""
    files = [("Grüße; a.jpg", png()), ("b.png", png())]
    group_id: str = post_files(http, files, [{"op": "grayscale"}]).get_json()["group_id"]
    finish(store, app.extensions["darkroom"].storage, group_id, 0, RESULT)
    return group_id


def test_a_worker_elsewhere_works_on_what_the_api_took_in(
    http: FlaskClient, store: GroupStore, redis_url: str, s3_server: S3Server, bucket: str, tmp_path: Path
) -> None:
    settings = {"DARKROOM_STORAGE_URL": s3_server.setting(bucket), **KEYS}
    with live_worker(redis_url, tmp_path / "missing", settings):
        files = [("a.png", png()), ("b.png", png()), ("bad.png", b"no image")]
        group_id = post_files(http, files, [{"op": "blur", "radius": 2}]).get_json()["group_id"]
        wait_for(lambda: store.read(group_id).state.is_final, limit=30, what="the group to end")
    kept = {f"darkroom/{blob(group_id, index)}" for blob in (original_blob, result_blob) for index in (0, 1)}
    assert kept == {key for key in s3_server.keys(bucket) if group_id in key}
    with zipfile.ZipFile(io.BytesIO(http.get(f"/archive/{group_id}", buffered=True).data)) as archive:
        assert archive.testzip() is None
        assert sorted(archive.namelist()) == ["a.png", "b.png", "manifest.json"]
    assert not (tmp_path / "missing").exists()
    assert [path for path in (tmp_path / "api").rglob("*") if path.is_file()] == []


def test_images_wait_for_a_bucket_that_fails_and_end_complete(
    http: FlaskClient, store: GroupStore, redis_url: str, s3_server: S3Server, bucket: str, tmp_path: Path
) -> None:
    with BrokenS3(503, "SlowDown", before=s3_server.url) as server:
        settings = {"DARKROOM_STORAGE_URL": f"s3://{bucket}/darkroom?endpoint={server.url}", **KEYS}
        with live_worker(redis_url, tmp_path, settings):
            group_id = post_files(http, [("a.png", png())], []).get_json()["group_id"]
            wait_for(lambda: server.refusals, limit=30, what="the bucket to be missed")
            server.is_well = True
            wait_for(lambda: store.read(group_id).state.is_final, limit=60, what="the group to end")
    assert store.read(group_id).state is GroupState.COMPLETED


def test_a_result_is_streamed_with_its_type_its_name_its_etag_and_in_parts(http: FlaskClient, group: str) -> None:
    whole = http.get(f"/images/{group}/0", buffered=True)
    assert (whole.status_code, whole.data, whole.mimetype) == (200, RESULT, "image/png")
    assert whole.headers["ETag"] == ETAG
    assert "filename*=UTF-8''Gr%C3%BC%C3%9Fe%3B%20a.png" in whole.headers["Content-Disposition"]
    part = http.get(f"/images/{group}/0", headers={"Range": "bytes=4-9"}, buffered=True)
    assert (part.status_code, part.data) == (206, RESULT[4:10])


def test_a_result_is_fetched_from_the_bucket_with_its_type_its_name_an_etag_and_in_parts(
    redirecting: FlaskClient, http: FlaskClient, group: str, s3_server: S3Server
) -> None:
    answer = redirecting.get(f"/images/{group}/0")
    assert (answer.status_code, answer.headers["Cache-Control"]) == (302, "no-store")
    address = answer.headers["Location"]
    assert address.startswith(f"{s3_server.url}/")
    whole = requests.get(address, timeout=10)
    streamed = http.get(f"/images/{group}/0", buffered=True)
    assert (whole.status_code, whole.content) == (200, RESULT)
    for header in ("Content-Type", "Content-Disposition"):
        assert whole.headers[header] == streamed.headers[header]
    part = requests.get(address, headers={"Range": "bytes=4-9"}, timeout=10)
    assert (part.status_code, part.content) == (206, RESULT[4:10])
    assert part.headers["Content-Range"] == f"bytes 4-9/{len(RESULT)}"
    again = requests.get(address, headers={"If-None-Match": whole.headers["ETag"]}, timeout=10)
    assert again.status_code == 304


def test_what_is_asked_about_our_own_etag_is_answered_without_the_bucket(redirecting: FlaskClient, group: str) -> None:
    known = redirecting.get(f"/images/{group}/0", headers={"If-None-Match": ETAG}, buffered=True)
    assert (known.status_code, known.data) == (304, b"")
    resumed = redirecting.get(f"/images/{group}/0", headers={"If-Range": ETAG, "Range": "bytes=4-"}, buffered=True)
    assert (resumed.status_code, resumed.data) == (206, RESULT[4:])
    of_the_bucket = redirecting.get(f"/images/{group}/0", headers={"If-Match": '"md5-2"'})
    assert of_the_bucket.status_code == 302
    assert redirecting.head(f"/images/{group}/0", buffered=True).headers["Content-Length"] == str(len(RESULT))


def test_originals_and_results_that_are_not_there_are_no_matter_of_the_bucket(
    redirecting: FlaskClient, group: str
) -> None:
    assert redirecting.get(f"/images/{group}/1?original=true", buffered=True).data == png()
    assert redirecting.get(f"/images/{group}/1", buffered=True).status_code == 404


def test_the_page_may_show_images_from_the_bucket_only_where_results_are_fetched_there(
    redirecting: FlaskClient, http: FlaskClient, s3_server: S3Server
) -> None:
    assert s3_server.url in redirecting.get("/").headers["Content-Security-Policy"]
    assert urlsplit(s3_server.url).netloc not in http.get("/").headers["Content-Security-Policy"]


def test_while_the_bucket_is_missing_nothing_is_taken_in_and_the_server_is_not_ready(
    redis_url: str, s3_server: S3Server, tmp_path: Path, app: Flask
) -> None:
    settings = {"redis_url": redis_url, "storage_dir": tmp_path, "storage_url": s3_server.setting("not-made-yet")}
    other = create_app(ApiSettings.model_validate(settings))
    try:
        refused = post_files(other.test_client(), [("a.png", png())], [])
        assert (refused.status_code, refused.get_json()["code"]) == (503, "storage_unavailable")
        assert other.test_client().get("/readyz").status_code == 503
        assert app.test_client().get("/readyz").status_code == 200
    finally:
        other.extensions["darkroom"].close()
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
