"""The API where a proxy in front of it gives it a path of a host that others use, too."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from darkroom_api.app import create_app
from darkroom_api.settings import FIRST_WORDS, ApiSettings
from darkroom_contracts.mail import Address
from darkroom_records.links import Links
from flask import Flask
from flask.testing import FlaskClient
from support.api_cases import close, finish, png, post_files
from werkzeug.test import TestResponse

PUBLIC = "https://photos.example.org/tools/darkroom"
BASE = "/tools/darkroom"
ADA = Address("ada@example.org")

Ask = Callable[..., TestResponse]


@pytest.fixture
def app(redis_url: str, storage_dir: Path) -> Iterator[Flask]:
    """The application below a path."""
    settings = {"redis_url": redis_url, "storage_dir": storage_dir, "public_url": PUBLIC}
    made = create_app(ApiSettings.model_validate(settings))
    yield made
    close(made)


@pytest.fixture(params=["kept", "stripped"])
def ask(request: pytest.FixtureRequest, http: FlaskClient) -> Ask:
    """Asks for a path as it is seen from outside, through a proxy that leaves ours on, or takes it off."""

    def answer(path: str, method: str = "GET", **more: Any) -> TestResponse:
        assert path.startswith(f"{BASE}/"), f"{path} leads to others"
        seen = path if request.param == "kept" else path.removeprefix(BASE)
        return http.open(seen, method=method, buffered=True, **more)

    return answer


def links(value: Any, name: str = "") -> Iterator[str]:
    """Everything in an answer that is named as a link."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from links(inner, key)
    elif isinstance(value, list):
        for inner in value:
            yield from links(inner)
    elif isinstance(value, str) and (name == "url" or name.endswith("_url")):
        yield value


def links_of(html: str) -> list[str]:
    return re.findall(r'(?:href|src|action|data-document)="([^"]+)"', html)


def finished_batch(app: Flask, http: FlaskClient) -> TestResponse:
    answer = post_files(http, [("a.png", png()), ("b.png", png())], [], email=ADA)
    found = app.extensions["darkroom"]
    for index in range(2):
        finish(found.groups, found.storage, answer.get_json()["group_id"], index, png())
    return answer


def test_every_link_of_a_batch_begins_with_the_path_and_opens(app: Flask, http: FlaskClient, ask: Ask) -> None:
    receipt = finished_batch(app, http)
    assert receipt.headers["Location"] == receipt.get_json()["status_url"]
    status = ask(receipt.get_json()["status_url"]).get_json()
    events = ask(receipt.get_json()["events_url"]).text
    task = ask(f"{BASE}/tasks/{status['group_id']}.0").get_json()["value"]
    found = {*links(receipt.get_json()), *links(status), *re.findall(r'"url": ?"([^"]+)"', events), task}
    assert len(found) >= 7
    for link in found:
        if "/cancel/" in link:
            assert ask(link, "POST").get_json()["error"] != "Invalid group_id"
        else:
            assert ask(link).status_code in (200, 202), link
    sent = ask(receipt.get_json()["send_images_url"])
    assert ask(sent.headers["Location"]).get_json()["id"] == sent.get_json()["id"]


def test_all_that_its_pages_name_is_below_the_path_and_opens(app: Flask, ask: Ask) -> None:
    mail_link = app.extensions["darkroom"].links.confirmation(ADA).removeprefix("https://photos.example.org")
    for page in (f"{BASE}/", f"{BASE}/docs", mail_link):
        answer = ask(page)
        assert answer.status_code == 200
        found = links_of(answer.text)
        assert len(found) > 2
        for link in found:
            assert ask(link).status_code == 200, link


def test_the_documents_server_is_the_path(ask: Ask) -> None:
    document = ask(f"{BASE}/openapi.json").get_json()
    assert document["servers"] == [{"url": BASE}]
    assert "/status/{group_id}" in document["paths"]


def test_the_links_in_emails_subscribe_and_unsubscribe(app: Flask, ask: Ask) -> None:
    made: Links = app.extensions["darkroom"].links
    app.extensions["darkroom"].subscribers.request(ADA)
    for link, said in ((made.confirmation(ADA), "You are subscribed"), (made.unsubscription(ADA), "unsubscribed")):
        assert link.startswith(f"{PUBLIC}/")
        path = link.removeprefix("https://photos.example.org")
        assert "<button" in ask(path).text
        assert said in ask(path, "POST", headers={"Origin": "https://photos.example.org"}).text


def test_a_wrong_path_is_answered_with_the_right_place_of_the_documentation(ask: Ask) -> None:
    assert ask(f"{BASE}/nowhere").get_json()["error"] == f"No such endpoint. See {BASE}/docs."


def test_the_path_without_its_slash_is_the_page(http: FlaskClient) -> None:
    assert http.get(BASE).text == http.get(f"{BASE}/").text


def test_a_neighbour_whose_path_begins_alike_is_somebody_else(http: FlaskClient) -> None:
    assert http.get(f"{BASE}room/healthz").status_code == 404


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics"])
def test_monitors_beside_it_need_no_path(http: FlaskClient, path: str) -> None:
    assert http.get(path).status_code == 200


def test_its_own_paths_are_those_that_no_public_url_may_begin_with(app: Flask) -> None:
    first = {rule.rule.split("/")[1] for rule in app.url_map.iter_rules()}
    assert first - {""} <= FIRST_WORDS


def test_without_a_path_links_are_as_short_as_they_were(redis_url: str, storage_dir: Path) -> None:
    app = create_app(ApiSettings(redis_url=redis_url, storage_dir=storage_dir))
    receipt = post_files(app.test_client(), [("a.png", png())]).get_json()
    assert receipt["status_url"] == f"/status/{receipt['group_id']}"
    assert "servers" not in app.test_client().get("/openapi.json").get_json()
    close(app)
