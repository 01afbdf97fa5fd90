"""What the OpenAPI document says is what the API does."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from darkroom_api.app import create_app
from darkroom_api.settings import ApiSettings
from support.api_cases import png
from support.live_api import LiveApi, live_api
from support.redis_server import RedisServer

HOOKS = Path(__file__).with_name("schemathesis_hooks.py")
WEBHOOKS = {"DARKROOM_WEBHOOK_SECRET": "whsec_" + "A" * 32}
KEY = "a-key-of-the-tests"
PAGES = {("/confirm/{token}", "404"), ("/unsubscribe/{token}", "404")}
"""Answers to links in mails, which people open: what is wrong is said on a page."""
MANY_MAILS = {"DARKROOM_MAIL_LIMIT_PER_CLIENT": "9999/minute", "DARKROOM_MAIL_LIMIT_PER_ADDRESS": "9999/minute"}
# An event stream lasts as long as its group, and here nobody works on groups: one event of each must do.
CONFIG = f"""
[auth.openapi.ApiKey]
bearer = "{KEY}"

[[operations]]
include-path = "/events/{{group_id}}"
max-stream-events = 1

# A request that says nothing wrong, of a group that was given no address: the design answers 422.
[[operations]]
include-path = "/send_images/{{group_id}}"
[operations.checks]
positive_data_acceptance.expected-statuses = ["202", "404", "409", "422", "429", "503"]

# Schemathesis cannot judge a form that has files: whatever it has changed there counts as invalid, even a null that
# became a string where either will do. That wrong forms are refused, tests/integration/api shows.
[[operations]]
include-path = "/process_images"
checks.negative_data_rejection.expected-statuses = ["2xx", "4xx", "5xx"]

[[operations]]
include-path = "/preflight"
checks.negative_data_rejection.expected-statuses = ["2xx", "4xx", "5xx"]
"""


@pytest.fixture(scope="module")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with RedisServer(tmp_path_factory.mktemp("redis")) as server:
        yield server.url


@pytest.fixture(scope="module")
def open_api(redis_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveApi]:
    """An API for everybody."""
    with live_api(redis_url, tmp_path_factory.mktemp("blobs"), WEBHOOKS | MANY_MAILS) as api:
        yield api


@pytest.fixture(scope="module")
def guarded_api(redis_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveApi]:
    """An API that asks for a key."""
    settings = {"DARKROOM_API_KEYS": f"another,{KEY}"} | WEBHOOKS | MANY_MAILS
    with live_api(redis_url, tmp_path_factory.mktemp("blobs"), settings) as api:
        yield api


def schemathesis(api: LiveApi, folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Run schemathesis with all its checks, the same way each time."""
    config = folder / "schemathesis.toml"
    config.write_text(CONFIG)
    fixed = ["--checks", "all", "--seed", "1", "--continue-on-failure", "--generation-database", "none"]
    # The image that watermarks show.
    headers = {"Authorization": f"Bearer {KEY}", "Content-Type": "image/png"}
    uploaded = requests.post(f"{api.url}/images", data=png(), headers=headers, timeout=10).json()["image_id"]
    command = [sys.executable, "-m", "schemathesis.cli", "--config-file", str(config), "run"]
    return subprocess.run(
        [*command, f"{api.url}/openapi.json", *fixed, *options],
        cwd=folder,
        env={"SCHEMATHESIS_HOOKS": HOOKS.stem, "PYTHONPATH": str(HOOKS.parent), "NO_COLOR": "1", "UPLOADED": uploaded},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.slow
def test_schemathesis_finds_nothing(open_api: LiveApi, tmp_path: Path) -> None:
    run = schemathesis(open_api, tmp_path, "--max-examples", "10")
    assert run.returncode == 0, run.stdout + run.stderr


@pytest.mark.slow
def test_schemathesis_finds_nothing_where_keys_are_asked_for(guarded_api: LiveApi, tmp_path: Path) -> None:
    run = schemathesis(guarded_api, tmp_path, "--max-examples", "5", "--phases", "fuzzing")
    assert run.returncode == 0, run.stdout + run.stderr


def test_every_problem_is_documented_as_a_problem_document(open_api: LiveApi) -> None:
    document = requests.get(f"{open_api.url}/openapi.json", timeout=10).json()
    for path, operations in document["paths"].items():
        for operation in operations.values():
            bad = {status: answer for status, answer in operation["responses"].items() if status >= "400"}
            assert bad
            kinds = {tuple(answer["content"]) for status, answer in bad.items() if (path, status) not in PAGES}
            assert kinds == {("application/problem+json",)}


def test_every_operation_has_a_readable_id_of_its_own(open_api: LiveApi) -> None:
    document = requests.get(f"{open_api.url}/openapi.json", timeout=10).json()
    ids = [one["operationId"] for operations in document["paths"].values() for one in operations.values()]
    assert len(ids) == len(set(ids))
    assert {"processImages", "getStatus", "cancelGroup", "downloadArchive", "emailResults"} <= set(ids)
    assert [name for name in ids if not re.fullmatch(r"[a-z]+([A-Z][a-z]+)*", name)] == []


def test_every_endpoint_is_documented_but_the_page_and_the_documentation(open_api: LiveApi) -> None:
    document = requests.get(f"{open_api.url}/openapi.json", timeout=10).json()
    rules = [rule for rule in create_app(ApiSettings()).url_map.iter_rules() if not rule.endpoint.endswith("static")]
    routed = {re.sub(r"<(?:[^<>]+:)?(\w+)>", r"{\1}", rule.rule) for rule in rules}
    assert routed - set(document["paths"]) == {"/", "/docs", "/openapi.json"}


def test_no_description_holds_html(open_api: LiveApi) -> None:
    document = requests.get(f"{open_api.url}/openapi.json", timeout=10).json()
    assert [text for text in texts_of(document) if re.search(r"</?[a-z]+ ?/?>", text)] == []


def texts_of(value: Any) -> Iterator[str]:
    """Every text of a document, wherever it stands."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for member in value.values() if isinstance(value, dict) else value:
            yield from texts_of(member)


def test_keys_are_documented_where_they_are_asked_for(open_api: LiveApi, guarded_api: LiveApi) -> None:
    def secured(api: LiveApi) -> set[str]:
        document = requests.get(f"{api.url}/openapi.json", timeout=10).json()
        return {path for path, methods in document["paths"].items() for one in methods.values() if "security" in one}

    assert secured(open_api) == set()
    assert secured(guarded_api) >= {"/process_images", "/blur"}


def test_the_pages_need_no_other_host(open_api: LiveApi) -> None:
    page = requests.get(f"{open_api.url}/docs", timeout=10)
    assert page.headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert "//" not in page.text.replace("http://www.w3.org", "")
    for address in ("/docs/swagger/js/swagger-ui-bundle.js", "/docs/swagger/css/swagger-ui.css", "/static/docs.js"):
        assert address in page.text
        assert requests.get(open_api.url + address, timeout=10).ok


def test_webhooks_are_documented_where_they_are_enabled(open_api: LiveApi, redis_url: str, tmp_path: Path) -> None:
    def members(api: LiveApi) -> set[str]:
        schemas = requests.get(f"{api.url}/openapi.json", timeout=10).json()["components"]["schemas"]
        return {name for name in schemas["ProcessImages"]["properties"] if name.startswith("webhook")}

    assert members(open_api) == {"webhook_url", "webhook_events"}
    with live_api(redis_url, tmp_path) as without_secret:
        assert members(without_secret) == set()
