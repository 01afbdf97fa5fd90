"""What an earlier version has written down is worked on by this one (docs/adr/0006-records-outlive-versions.md).

``upgrades/0.1.0.json`` was written by version 0.1.0: everything in its Redis, its queues and its storage, with groups
in each state, a worker and a mailer that died at work, emails, a subscriber and tasks.
"""

import base64
import json
import mailbox
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from darkroom_local.folder import Folder
from redis import Redis
from support.client import Client
from support.local_stack import LocalStack
from support.redis_server import RedisServer
from support.waiting import wait_for

pytestmark = pytest.mark.slow

VERSION: dict[str, Any] = json.loads((Path(__file__).parent / "upgrades" / "0.1.0.json").read_text())
IDS: dict[str, str] = VERSION["ids"]
# What was written down then is years old one day, and must neither expire nor be given up for it.
TEN_YEARS = str(10 * 365 * 24 * 3600)
SETTINGS = {
    "DARKROOM_RECOVERY_INTERVAL": "2",
    "DARKROOM_RECOVERY_GRACE": "2",
    "DARKROOM_MAIL_INTERVAL": "2",
    "DARKROOM_KEEP_RESULTS": TEN_YEARS,
    "DARKROOM_MAIL_RETRY_PERIOD": TEN_YEARS,
}


def put_back(redis: Redis, key: str, kind: str, value: Any, ttl: int | None = None) -> None:
    match kind:
        case "string":
            redis.set(key, value)
        case "hash":
            redis.hset(key, mapping=value)
        case "list":
            redis.rpush(key, *value)
        case "set":
            redis.sadd(key, *value)
        case "zset":
            redis.zadd(key, dict(value))
    if ttl is not None:
        redis.expire(key, ttl)


@pytest.fixture(scope="module")
def upgraded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    """This version, started on the data folder of the earlier one."""
    folder = Folder(tmp_path_factory.mktemp("upgraded"))
    folder.make()
    with RedisServer(folder.redis) as server, Redis.from_url(server.url, decode_responses=True) as redis:
        for key, found in VERSION["redis"].items():
            put_back(redis, key, found["type"], found["value"], found.get("ttl"))
    for key, content in VERSION["blobs"].items():
        file = folder.blobs / key
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(base64.b64decode(content))
    with LocalStack(folder.root, SETTINGS) as stack:
        yield stack


@pytest.fixture
def client(upgraded: LocalStack) -> Client:
    return Client(upgraded.api_url)


@pytest.mark.parametrize("group", ["completed", "partial", "failed", "cancelled"])
def test_a_group_that_had_ended_is_shown_as_it_ended(client: Client, group: str) -> None:
    assert client.status(IDS[group])["state"] == group


def test_results_made_before_are_handed_out(client: Client) -> None:
    status = client.status(IDS["completed"])
    files = client.archive(IDS["completed"])
    assert set(files) == {"manifest.json", "a.webp", "b.webp"}
    for index, image in enumerate(status["images"]):
        assert len(client.result(IDS["completed"], index)) == image["bytes"]


@pytest.mark.parametrize("group", ["queued", "processing"])
def test_a_group_that_had_not_ended_is_completed(client: Client, group: str) -> None:
    status = client.wait(IDS[group], limit=60)
    assert (status["state"], status["completed"]) == ("completed", 2)


def test_a_failed_group_can_be_retried(client: Client) -> None:
    assert requests.post(f"{client.url}/retry/{IDS['failed']}", timeout=10).status_code == 202
    status = client.wait(IDS["failed"], limit=60)
    assert status["state"] == "failed"
    assert "region" in status["images"][0]["error"].lower()


def test_a_task_that_waited_is_run(client: Client) -> None:
    def value() -> Any:
        return requests.get(f"{client.url}/tasks/{IDS['task_queued']}", timeout=10).json()["value"]

    assert wait_for(value, limit=30, what="the sum") == 7


def test_emails_that_waited_are_sent_once_and_sent_ones_stay_sent(upgraded: LocalStack, client: Client) -> None:
    def state(email: str) -> str:
        return str(requests.get(f"{client.url}/tasks/{IDS[email]}", timeout=10).json()["state"])

    waiting = ("email_queued", "email_claimed", "email_confirmation")
    wait_for(lambda: all(state(email) == "succeeded" for email in waiting), limit=90, what="the emails to be sent")
    assert state("email_sent") == "succeeded"

    inbox = list(mailbox.Maildir(upgraded.folder.mail, create=False))
    subjects = Counter(message["Subject"] for message in inbox)
    assert (subjects["Hello"], subjects["Claimed"], subjects["Sent"]) == (1, 1, 0)
    assert [message["To"] for message in inbox].count("new@example.org") == 1
    assert any("broken.png" in message.as_string() for message in inbox), "the email with the partial group's results"
