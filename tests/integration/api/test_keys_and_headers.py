"""Who may hand work in, and what browsers are told."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from darkroom_api.app import create_app
from darkroom_api.settings import ApiSettings
from flask import Flask
from flask.testing import FlaskClient
from pydantic import SecretStr
from support.api_cases import close, png, post_files


@pytest.fixture
def guarded(redis_url: str, storage_dir: Path) -> Iterator[FlaskClient]:
    """An API with two keys."""
    keys = (SecretStr("first-key"), SecretStr("sécond-key"))
    app = create_app(ApiSettings(redis_url=redis_url, storage_dir=storage_dir, api_keys=keys))
    yield app.test_client()
    close(app)


@pytest.mark.parametrize(
    "header", [{}, {"Authorization": "Bearer"}, {"Authorization": "Bearer wrong"}, {"Authorization": "Basic first-key"}]
)
def test_without_a_key_no_work_is_taken_in(guarded: FlaskClient, header: dict[str, str]) -> None:
    for answer in (post_files(guarded, [("a.png", png())], headers=header), guarded.post("/blur", headers=header)):
        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")
        assert answer.get_json()["error"] == "An API key is needed"


def test_with_a_key_work_is_taken_in_and_results_need_none(guarded: FlaskClient) -> None:
    answer = post_files(guarded, [("a.png", png())], headers={"Authorization": "bearer first-key"})
    assert answer.status_code == 202
    assert guarded.get(answer.get_json()["status_url"]).status_code == 200


def test_two_keys_do_not_share_their_idempotency_keys(guarded: FlaskClient) -> None:
    ids = {
        post_files(
            guarded,
            [("a.png", png())],
            headers={"Authorization": f"Bearer {key}", "Idempotency-Key": "the-same-for-both"},
        ).get_json()["group_id"]
        for key in ("first-key", "sécond-key".encode().decode("latin-1"))
    }
    assert len(ids) == 2


@pytest.mark.parametrize("path", ["/", "/docs", "/openapi.json", "/healthz", "/nowhere", "/static/page/main.js"])
def test_every_answer_tells_browsers_to_be_careful(http: FlaskClient, path: str) -> None:
    headers = http.get(path, buffered=True).headers
    assert headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["X-Request-ID"]
    # These would break a server without TLS on a network at home.
    assert "Strict-Transport-Security" not in headers
    assert "upgrade-insecure-requests" not in headers["Content-Security-Policy"]


def test_the_page_names_no_other_host(http: FlaskClient) -> None:
    page = http.get("/").text
    assert "https://" not in page
    assert "http://" not in page


def test_metrics_tell_of_requests_and_queues(http: FlaskClient, app: Flask) -> None:
    assert post_files(http, [("a.png", png())]).status_code == 202
    text = http.get("/metrics").text
    waiting = app.extensions["redis"].llen("images")
    assert f'darkroom_queue_length{{queue="images"}} {waiting:.1f}' in text
    assert 'darkroom_queue_oldest_waiting_seconds{queue="images"}' in text
    assert 'darkroom_http_request_seconds_count{method="POST",route="/process_images",status="202"}' in text
    assert "darkroom_images_taken_total" in text
