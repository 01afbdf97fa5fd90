"""The groups of an API key: listed for its name, and for no other."""

import base64
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from darkroom_api.app import create_app
from darkroom_api.settings import ApiSettings
from flask import Flask
from flask.testing import FlaskClient
from redis import Redis
from support.api_cases import close, png
from support.redis_keys import group_record

PICTURE = base64.b64encode(png()).decode()
MakeApp = Callable[..., Flask]


@pytest.fixture
def make_app(redis: Redis, redis_url: str, storage_dir: Path) -> Iterator[MakeApp]:
    """Makes an API with some settings of its own, on an empty Redis."""
    redis.ping()
    made = []

    def make(**settings: object) -> Flask:
        app = create_app(ApiSettings.model_validate({"redis_url": redis_url, "storage_dir": storage_dir} | settings))
        made.append(app)
        return app

    yield make
    for app in made:
        close(app)


@pytest.fixture
def guarded(make_app: MakeApp) -> FlaskClient:
    """An API with keys, of which two have the same name."""
    return make_app(api_keys="ada:first,ada:second,bob:third,bare").test_client()


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


def submit(http: FlaskClient, key: str, **headers: str) -> str:
    answer = http.post("/process_images", json={"images": [PICTURE]}, headers={**bearer(key), **headers})
    assert answer.status_code == 202, answer.text
    return str(answer.get_json()["group_id"])


def page(http: FlaskClient, key: str, query: str = "") -> Any:
    answer = http.get(f"/groups{query}", headers=bearer(key))
    assert answer.status_code == 200, answer.text
    return answer.get_json()


def ids(http: FlaskClient, key: str, query: str = "") -> list[str]:
    return [group["group_id"] for group in page(http, key, query)["groups"]]


def test_a_key_sees_its_own_groups_the_newest_first(guarded: FlaskClient) -> None:
    mine = [submit(guarded, "first"), submit(guarded, "second")]
    others = submit(guarded, "third")
    assert ids(guarded, "first") == ids(guarded, "second") == mine[::-1]
    assert ids(guarded, "third") == [others]
    assert ids(guarded, "bare") == []


def test_a_listed_group_has_its_state_and_counts(guarded: FlaskClient) -> None:
    group_id = submit(guarded, "third")
    status = guarded.get(f"/status/{group_id}?images=false").get_json()
    (listed,) = page(guarded, "third")["groups"]
    assert listed == {name: value for name, value in status.items() if name in listed}
    assert (listed["state"], listed["total"], listed["completed"]) == ("queued", 1, 0)


def test_the_list_comes_in_pages(guarded: FlaskClient) -> None:
    groups = [submit(guarded, "third") for _ in range(5)][::-1]
    seen, query = [], "?limit=2"
    while query:
        found = page(guarded, "third", query)
        seen.append([group["group_id"] for group in found["groups"]])
        query = f"?limit=2&cursor={found['next']}" if found["next"] else ""
    assert seen == [groups[:2], groups[2:4], groups[4:]]


def test_groups_that_are_gone_are_left_out_and_forgotten(make_app: MakeApp, redis: Redis) -> None:
    app = make_app(api_keys="bob:third")
    http = app.test_client()
    kept, gone = submit(http, "third"), submit(http, "third")
    redis.delete(group_record(gone))  # as a version does that knows of no owners
    assert ids(http, "third") == [kept]
    assert app.extensions["darkroom"].groups.owned("key:bob") == [kept]


def test_a_bare_key_has_groups_of_its_own(guarded: FlaskClient) -> None:
    group_id = submit(guarded, "bare")
    assert ids(guarded, "bare") == [group_id]


def test_the_key_itself_is_not_kept(make_app: MakeApp, redis: Redis) -> None:
    submit(make_app(api_keys="a-bare-secret").test_client(), "a-bare-secret")
    names = list(redis.scan_iter("*"))
    assert names
    assert not [name for name in names if b"a-bare-secret" in (redis.dump(name) or b"") or "a-bare-secret" in name]


def test_a_name_that_is_given_to_another_secret_keeps_its_groups(make_app: MakeApp) -> None:
    group_id = submit(make_app(api_keys="ada:old").test_client(), "old")
    assert ids(make_app(api_keys="ada:new").test_client(), "new") == [group_id]


def test_an_idempotency_key_goes_on_where_its_api_key_is_given_a_name(make_app: MakeApp) -> None:
    sent = {"Idempotency-Key": "once-and-again"}
    before = submit(make_app(api_keys="secret").test_client(), "secret", **sent)
    assert submit(make_app(api_keys="ada:secret").test_client(), "secret", **sent) == before


def test_without_a_key_there_is_nothing_to_list(guarded: FlaskClient, make_app: MakeApp) -> None:
    assert guarded.get("/groups").status_code == 401
    answer = make_app().test_client().get("/groups")
    assert (answer.status_code, answer.get_json()["code"]) == (403, "listing_disabled")
    assert "DARKROOM_API_KEYS" in answer.get_json()["detail"]


@pytest.mark.parametrize("query", ["?cursor=x", "?cursor=-1", "?limit=0", "?limit=101", "?page=2"])
def test_a_page_that_there_cannot_be_is_refused(guarded: FlaskClient, query: str) -> None:
    assert guarded.get(f"/groups{query}", headers=bearer("first")).status_code == 422
