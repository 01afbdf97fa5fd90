"""Who may hand work in, and what browsers are told."""

import base64
from collections.abc import Callable, Iterator
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
        assert answer.get_json()["error"] == "API key required"


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
    waiting = app.extensions["darkroom"].redis.llen("images")
    assert f'darkroom_queue_length{{queue="images"}} {waiting:.1f}' in text
    assert 'darkroom_queue_oldest_waiting_seconds{queue="images"}' in text
    assert 'darkroom_http_request_seconds_count{method="POST",route="/process_images",status="202"}' in text
    assert "darkroom_images_taken_total" in text
    assert "darkroom_redis_up 1.0" in text


MakeGuarded = Callable[..., FlaskClient]


@pytest.fixture
def make_guarded(redis_url: str, storage_dir: Path) -> Iterator[MakeGuarded]:
    """Makes an API with some settings of its own."""
    made = []

    def make(**settings: object) -> FlaskClient:
        app = create_app(ApiSettings.model_validate({"redis_url": redis_url, "storage_dir": storage_dir} | settings))
        made.append(app)
        return app.test_client()

    yield make
    for app in made:
        close(app)


def status(http: FlaskClient, path: str, key: str = "", method: str = "GET") -> int:
    return http.open(path, method=method, headers={"Authorization": f"Bearer {key}"} if key else {}).status_code


OPERATORS_VIEWS = ("/control", "/metrics")


@pytest.mark.parametrize("path", OPERATORS_VIEWS)
def test_the_operators_views_ask_for_a_key_where_there_are_keys(make_guarded: MakeGuarded, path: str) -> None:
    assert status(make_guarded(), path) == 200
    keyed = make_guarded(api_keys="user")
    assert (status(keyed, path), status(keyed, path, "wrong"), status(keyed, path, "user")) == (401, 401, 200)


@pytest.mark.parametrize("path", OPERATORS_VIEWS)
def test_with_admin_keys_only_those_open_the_operators_views(make_guarded: MakeGuarded, path: str) -> None:
    http = make_guarded(api_keys="user", admin_keys="root, other")
    assert [status(http, path, key) for key in ("", "user", "root", "other")] == [401, 403, 200, 200]
    admins_only = make_guarded(admin_keys="root")
    assert [status(admins_only, path, key) for key in ("", "user", "root")] == [401, 401, 200]


def test_an_admin_key_takes_work_in_as_well(make_guarded: MakeGuarded) -> None:
    http = make_guarded(api_keys="user", admin_keys="root")
    answer = post_files(http, [("a.png", png())], headers={"Authorization": "Bearer root"})
    assert answer.status_code == 202


def test_metrics_can_be_left_open_for_a_prometheus_within(make_guarded: MakeGuarded) -> None:
    http = make_guarded(api_keys="user", admin_keys="root", open_metrics=True)
    assert (status(http, "/metrics"), status(http, "/control")) == (200, 401)


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_monitors_need_no_key(make_guarded: MakeGuarded, path: str) -> None:
    assert status(make_guarded(api_keys="user", admin_keys="root"), path) == 200


def test_who_holds_the_id_of_a_task_may_read_it_and_a_key_cancels_it(make_guarded: MakeGuarded) -> None:
    http = make_guarded(api_keys="user")
    task = http.get("/add/1/2", headers={"Authorization": "Bearer user"}).get_json()["id"]
    assert status(http, f"/tasks/{task}") == 200
    assert status(http, f"/tasks/{task}/cancel", method="POST") == 401
    assert status(http, f"/tasks/{task}/cancel", "user", method="POST") == 200


def test_the_document_says_which_key_each_view_asks_for(make_guarded: MakeGuarded) -> None:
    def asked(**settings: object) -> dict[str, object]:
        paths = make_guarded(**settings).get("/openapi.json").get_json()["paths"]
        views = ("/process_images", "/control", "/metrics")
        needs = {path: next(iter(paths[path].values())).get("security") for path in views}
        return {path: next(iter(need[0])) if need else None for path, need in needs.items()}

    none, user, admin = None, "ApiKey", "AdminKey"
    assert asked() == {"/process_images": none, "/control": none, "/metrics": none}
    assert asked(api_keys="u") == {"/process_images": user, "/control": user, "/metrics": user}
    assert asked(api_keys="u", admin_keys="a") == {"/process_images": user, "/control": admin, "/metrics": admin}
    assert asked(admin_keys="a", open_metrics=True) == {"/process_images": none, "/control": admin, "/metrics": none}


def test_clients_without_a_key_do_not_share_their_idempotency_keys(http: FlaskClient) -> None:
    def made(address: str, **headers: str) -> str:
        answer = http.post(
            "/process_images",
            json={"images": [base64.b64encode(png()).decode()]},
            headers={"Idempotency-Key": "the-same-for-all-of-them", **headers},
            environ_base={"REMOTE_ADDR": address},
        )
        assert answer.status_code == 202
        return str(answer.get_json()["group_id"])

    first = made("192.0.2.1")
    assert made("192.0.2.1") == first
    assert made("192.0.2.1", Authorization="Bearer of-no-meaning-here") == first
    assert made("192.0.2.2") != first
