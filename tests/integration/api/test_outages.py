"""When what the API rests on is away: who asks hears so within seconds, and nothing half-made stays."""

import errno
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from darkroom_api.app import create_app
from darkroom_api.settings import ApiSettings
from darkroom_contracts.ids import new_group_id
from darkroom_local import ports
from darkroom_records.blobs import LocalBlobStorage
from flask import Flask
from support.api_cases import close, files_in, png, post_files
from support.free_ports import free_port
from support.redis_server import RedisServer
from support.redis_troubles import REFUSES_WRITES
from werkzeug.test import TestResponse


@pytest.fixture
def without_redis(tmp_path: Path) -> Iterator[Flask]:
    """An application whose Redis is not there."""
    app = create_app(ApiSettings(redis_url=f"redis://{ports.HOST}:{free_port()}/0", storage_dir=tmp_path))
    yield app
    close(app)


class FullStorage(LocalBlobStorage):
    """A storage that is full when a blob is to be kept."""

    def writer(self) -> "FullWriter":  # type: ignore[override]  # it writes nothing that could be read back
        return FullWriter()


class FullWriter:
    def write(self, _data: bytes, /) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    def discard(self) -> None:
        """There is nothing."""


def unavailable(answer: TestResponse) -> None:
    assert answer.status_code == 503
    assert answer.mimetype == "application/problem+json"
    assert answer.headers["Retry-After"]


def test_without_redis_nothing_is_taken_in_and_nothing_stays(without_redis: Flask, tmp_path: Path) -> None:
    http = without_redis.test_client()
    unavailable(post_files(http, [("a.png", png())]))
    unavailable(post_files(http, [("a.png", png())], headers={"Idempotency-Key": "one"}))
    assert files_in(tmp_path) == []


def test_without_redis_questions_are_answered_with_503(without_redis: Flask) -> None:
    http = without_redis.test_client()
    group_id = new_group_id()
    for path in (f"/status/{group_id}", f"/images/{group_id}/0", f"/archive/{group_id}", "/readyz"):
        unavailable(http.get(path))


def test_without_redis_the_process_is_still_alive(without_redis: Flask) -> None:
    assert without_redis.test_client().get("/healthz").get_json() == {"status": "alive"}


def test_when_redis_comes_back_everything_goes_on(tmp_path: Path) -> None:
    with RedisServer(tmp_path / "redis") as server:
        app = create_app(ApiSettings(redis_url=server.url, storage_dir=tmp_path / "blobs"))
        http = app.test_client()
        assert post_files(http, [("a.png", png())]).status_code == 202
        server.stop()
        unavailable(post_files(http, [("a.png", png())]))
        server.start()
        assert post_files(http, [("a.png", png())]).status_code == 202
        close(app)


def test_a_full_storage_is_told_of(app: Flask, tmp_path: Path) -> None:
    app.extensions["darkroom"] = replace(app.extensions["darkroom"], storage=FullStorage(tmp_path))
    answer = post_files(app.test_client(), [("a.png", png())])
    assert answer.status_code == 507
    assert answer.get_json()["error"] == "The image storage is full. Nothing was kept; please retry later."


@pytest.mark.parametrize(
    ("kind", "sentence"), [("full", "full"), ("read_only", "read-only"), ("not_saving", "cannot be saved")]
)
def test_a_redis_that_takes_nothing_is_told_of_by_its_reason_and_nothing_stays(
    tmp_path: Path, kind: str, sentence: str
) -> None:
    with RedisServer(tmp_path / "redis") as server:
        app = create_app(ApiSettings(redis_url=server.url, storage_dir=tmp_path / "blobs"))
        http = app.test_client()
        redis = app.extensions["darkroom"].redis
        assert http.get("/readyz").status_code == 200
        with REFUSES_WRITES[kind][0](redis):
            for answer in (
                http.get("/readyz"),
                post_files(http, [("a.png", png())]),
                http.get("/add/1/2"),
                http.post("/tasks/count", json={"total": 1}),
            ):
                unavailable(answer)
                assert sentence in answer.get_json()["error"]
                assert "does not answer" not in answer.get_json()["error"]
        assert http.get("/readyz").status_code == 200
        assert redis.keys("darkroom:group:*") == []
        assert files_in(tmp_path / "blobs") == []
        close(app)


def test_without_redis_the_metrics_tell_what_is_known_without_it(without_redis: Flask) -> None:
    http = without_redis.test_client()
    unavailable(post_files(http, [("a.png", png())]))
    answer = http.get("/metrics")
    assert answer.status_code == 200
    assert "darkroom_redis_up 0.0" in answer.text
    assert 'darkroom_http_request_seconds_count{method="POST",route="/process_images",status="503"}' in answer.text
    assert "darkroom_queue_length" not in answer.text
