"""What pages of others can do through the browser of somebody who reaches a server without keys: nothing."""

import base64
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from darkroom_api.app import create_app
from darkroom_api.settings import ApiSettings
from darkroom_contracts.ids import new_group_id
from darkroom_contracts.mail import Address
from darkroom_records.groups import GroupStore, NewImage, Terms
from darkroom_records.links import Links
from darkroom_records.subscribers import Subscribers
from flask import Flask
from flask.testing import FlaskClient
from redis import Redis
from support.api_cases import close, png
from werkzeug.test import TestResponse

ADA = Address("ada@example.org")
SUBMISSION = {"images": [base64.b64encode(png()).decode()]}
PUBLIC = "https://photos.example.org"
KEY = {"Authorization": "Bearer secret"}

FOREIGN: list[dict[str, str]] = [
    {"Origin": "https://evil.example"},
    {"Origin": "http://localhost:3000"},
    {"Origin": "http://localhost.evil.example"},
    {"Origin": "null"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": "cross-site", "Origin": "http://localhost"},
]
OWN: list[dict[str, str]] = [
    {},
    {"Origin": "http://localhost"},
    {"Origin": PUBLIC},
    {"Sec-Fetch-Site": "same-origin", "Origin": "http://localhost"},
    {"Sec-Fetch-Site": "none"},
]


@pytest.fixture
def make_app(redis: Redis, redis_url: str, storage_dir: Path) -> Iterator[Callable[..., Flask]]:
    """Makes an API with some settings of its own, in an empty Redis."""
    assert redis.dbsize() == 0
    made: list[Flask] = []

    def make(**settings: Any) -> Flask:
        given = {"redis_url": redis_url, "storage_dir": storage_dir, "public_url": PUBLIC} | settings
        made.append(create_app(ApiSettings.model_validate(given)))
        return made[-1]

    yield make
    for app in made:
        close(app)


@pytest.fixture
def http(make_app: Callable[..., Flask]) -> FlaskClient:
    return make_app().test_client()


CHANGING = {"POST", "PUT", "PATCH", "DELETE"}
CHANGING_BY_GET = {"/add/<x>/<y>", "/send_images/<group_id>"}


def effects(app: Flask) -> list[tuple[str, str]]:
    """Everything that a request can be sent to and that changes something, but for what has a signature of its own."""
    groups: GroupStore = app.extensions["darkroom"].groups
    groups.create(ended := new_group_id(), [NewImage("a.png", error="It is no image.")], (), Terms(email=ADA))
    groups.create(running := new_group_id(), [NewImage("a.png")], ())

    def path(rule: str) -> str:
        group_id = running if "cancel" in rule else ended
        return re.sub(r"<[^>]*id>", group_id, rule).replace("<x>/<y>", "1/2")

    return [
        (method, path(rule.rule))
        for rule in app.url_map.iter_rules()
        for method in rule.methods or ()
        if "<token>" not in rule.rule and (method in CHANGING or (method == "GET" and rule.rule in CHANGING_BY_GET))
    ]


def send(http: FlaskClient, method: str, path: str, headers: dict[str, str]) -> TestResponse:
    body = SUBMISSION if path == "/process_images" else {"email": ADA} if "subscribe" in path else {"total": 1}
    return http.open(path, method=method, json=body if method == "POST" else None, headers=headers)


@pytest.mark.parametrize("headers", FOREIGN)
def test_a_page_of_others_changes_nothing(http: FlaskClient, redis: Redis, headers: dict[str, str]) -> None:
    asked = effects(http.application)
    assert {path.split("/")[1] for _, path in asked} >= {
        "add", "blur", "cancel", "process_images", "retry", "send_images", "subscribe", "tasks", "unsubscribe"
    }  # fmt: skip
    before = {key: redis.dump(key) for key in redis.keys("*")}
    for method, path in asked:
        answer = send(http, method, path, headers)
        assert answer.status_code == 403, (method, path)
        assert answer.get_json()["error"] == "Cross-site request"
    assert {key: redis.dump(key) for key in redis.keys("*")} == before


@pytest.mark.parametrize("headers", OWN)
def test_its_own_page_and_programs_notice_nothing(http: FlaskClient, headers: dict[str, str]) -> None:
    answers = [send(http, method, path, headers) for method, path in effects(http.application)]
    assert not [answer for answer in answers if "Cross-site" in answer.text]
    assert [answer.status_code for answer in answers].count(202) >= 4


@pytest.mark.parametrize("headers", FOREIGN)
def test_reading_is_no_matter_of_the_sender(http: FlaskClient, headers: dict[str, str]) -> None:
    for path in ("/", "/healthz", "/readyz", "/control", "/metrics", "/openapi.json"):
        assert http.get(path, headers=headers).status_code == 200


@pytest.mark.parametrize("path", ["/", "/healthz", "/control", "/metrics", "/docs", "/nowhere", "/static/page/main.js"])
def test_a_name_of_others_is_answered_nowhere(http: FlaskClient, path: str) -> None:
    for host in ("evil.example", "evil.example:8000", "127.0.0.1.evil.example:8000", "localhost.evil.example"):
        answer = http.get(path, headers={"Host": host})
        assert answer.status_code == 403
        assert answer.mimetype == "application/problem+json"
        assert "DARKROOM_ALLOWED_HOSTS" in answer.get_json()["detail"]


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "localhost:8000",
        "127.0.0.1:8000",
        "[::1]:8000",
        "10.1.2.3:8000",
        "photos.example.org",
        "api:8000",
        "nas.home",
    ],
)
def test_its_own_names_and_addresses_are_answered(make_app: Callable[..., Flask], host: str) -> None:
    http = make_app(allowed_hosts="api,.home").test_client()
    assert http.get("/healthz", headers={"Host": host}).status_code == 200
    answer = http.post("/process_images", json=SUBMISSION, headers={"Host": host, "Origin": f"http://{host}"})
    assert answer.status_code == 202


def test_a_program_that_names_no_host_is_answered(http: FlaskClient) -> None:
    def without_host(environ: dict[str, Any]) -> int:
        statuses: list[str] = []
        environ.pop("HTTP_HOST", None)
        list(http.application.wsgi_app(environ, lambda status, _: statuses.append(status)))  # type: ignore[arg-type]
        return int(statuses[0].split()[0])

    with http.application.test_request_context("/healthz") as context:
        assert without_host(dict(context.request.environ)) == 200


def test_where_keys_are_asked_for_any_name_will_do_and_a_key_is_enough(make_app: Callable[..., Flask]) -> None:
    http = make_app(api_keys="secret").test_client()
    headers = KEY | {
        "Host": "behind-a-proxy.example",
        "Origin": "https://photos.example.com",
        "Sec-Fetch-Site": "cross-site",
    }
    assert http.post("/process_images", json=SUBMISSION, headers=headers).status_code == 202


def test_what_takes_no_key_is_checked_for_its_sender_where_there_are_keys(
    make_app: Callable[..., Flask], groups: GroupStore
) -> None:
    http = make_app(api_keys="secret").test_client()
    groups.create(group_id := new_group_id(), [NewImage("a.png")], ())
    foreign = {"Origin": "https://evil.example"}
    for path in (f"/cancel/{group_id}", "/unsubscribe"):
        assert send(http, "POST", path, foreign).status_code == 403
        assert send(http, "POST", path, {}).status_code == 200


@pytest.mark.parametrize(
    "headers", [*FOREIGN, *OWN, {"Origin": "https://mail.example", "Sec-Fetch-Site": "cross-site"}]
)
def test_the_links_in_emails_work_from_any_mail_program(
    http: FlaskClient, redis: Redis, headers: dict[str, str]
) -> None:
    subscribers = Subscribers(redis)
    links = Links(http.application.extensions["darkroom"].settings, redis)
    subscribers.request(ADA)
    confirm = links.confirmation(ADA).removeprefix(PUBLIC)
    unsubscribe = links.unsubscription(ADA).removeprefix(PUBLIC)
    given = headers | {"Host": "photos.example.org"}
    assert http.get(confirm, headers=given).status_code == 200
    assert http.post(confirm, headers=given).status_code == 200
    assert ADA in subscribers
    one_click = http.post(unsubscribe, data={"List-Unsubscribe": "One-Click"}, headers=given)
    assert one_click.status_code == 200
    assert ADA not in subscribers


@pytest.mark.parametrize("path", ["/status//{id}", "//status/{id}", "/images//{id}/0", "/docs//swagger/x"])
def test_no_address_leads_to_wherever_the_client_says(make_app: Callable[..., Flask], path: str) -> None:
    http = make_app(api_keys="secret").test_client()  # where any Host is answered
    answer = http.get(path.format(id=new_group_id()), headers={"Host": "evil.example"})
    assert answer.status_code == 404
    assert "Location" not in answer.headers
    assert "evil" not in answer.text
