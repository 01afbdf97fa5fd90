"""From the question to the last newsletter, and from the images to the email: a real API, mailer and mail server."""

import re
from collections.abc import Callable, Iterator
from email.message import EmailMessage
from pathlib import Path

import pytest
from darkroom_contracts.mail import Address
from darkroom_contracts.messages import SendDueEmails
from darkroom_contracts.queues import Queue
from darkroom_records.subscribers import Subscribers
from darkroom_runtime.sending import send
from flask.testing import FlaskClient
from redis import Redis
from support.live_mailer import live_mailer
from support.mail_server import MailServer
from support.redis_keys import LATEST_ISSUE, is_latest_issue_sent
from support.waiting import wait_for

ADA = Address("ada@example.org")
HOME = "https://darkroom.example.org"
LIMIT = 30


@pytest.fixture
def server() -> Iterator[MailServer]:
    """A mail server that takes every email."""
    with MailServer() as running:
        yield running


@pytest.fixture
def http(
    make_http: Callable[..., FlaskClient], redis_url: str, storage_dir: Path, server: MailServer
) -> Iterator[FlaskClient]:
    """An API with a key, and a mailer that knows where it is reached."""
    http = make_http(api_keys="secret", public_url=HOME)
    http.environ_base["HTTP_AUTHORIZATION"] = "Bearer secret"
    with live_mailer(redis_url, storage_dir, server.port, {"DARKROOM_PUBLIC_URL": HOME}):
        yield http


def email_number(server: MailServer, number: int) -> EmailMessage:
    """The first, second, ... email that arrived, once it has."""
    wait_for(lambda: len(server.taken) >= number, limit=LIMIT, what=f"email number {number}")
    return server.taken[number - 1].message


def sweep(http: FlaskClient) -> None:
    """What the scheduler does twice a minute."""
    send(http.application.extensions["celery"], SendDueEmails())


def end_of_issue(redis: Redis) -> str:
    """The newest issue of the newsletter, once all of it is sent."""

    def done() -> str:
        is_done = is_latest_issue_sent(redis) and not redis.llen(Queue.MAIL)
        return str(redis.get(LATEST_ISSUE)) if is_done else ""

    return wait_for(done, limit=LIMIT, what="the end of the issue")


def test_a_subscriber_comes_confirms_gets_the_letter_and_leaves_with_one_click(
    http: FlaskClient, server: MailServer, subscribers: Subscribers, redis: Redis
) -> None:
    assert http.post("/subscribe", data={"email": ADA}).status_code == 202
    question = email_number(server, 1).get_body(["plain"])
    assert question is not None
    link = re.search(rf"{HOME}(/confirm/\S+)", question.get_content())
    assert link is not None
    assert http.get(link[1]).status_code == 200
    assert ADA not in subscribers
    assert http.post(link[1]).status_code == 200
    assert ADA in subscribers

    redis.set(LATEST_ISSUE, "2020-W01")  # as if nobody had been there for many a Monday
    sweep(http)
    newsletter = email_number(server, 2)
    issue = end_of_issue(redis)
    assert newsletter["Subject"] == f"The week in the Darkroom, {issue}"
    assert newsletter["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    leave = newsletter["List-Unsubscribe"].strip("<>").removeprefix(HOME)
    assert http.post(leave, data={"List-Unsubscribe": "One-Click"}).status_code == 200
    assert ADA not in subscribers

    redis.set(LATEST_ISSUE, "2020-W01")
    sweep(http)
    wait_for(lambda: redis.get(LATEST_ISSUE) != "2020-W01", limit=LIMIT, what="the next issue to begin")
    end_of_issue(redis)
    assert len(server.taken) == 2


def test_what_became_of_an_email_is_seen_by_its_id(
    http: FlaskClient, server: MailServer, end_group: Callable[..., str]
) -> None:
    server.refused["eve@example.org"] = ["550 No such person here"]
    sent = http.post(f"/send_images/{end_group(ADA)}").get_json()["id"]
    order = {"to": "eve@example.org", "subject": "Hello", "body": "Good day."}
    refused = http.post("/send_email", json=order).get_json()["id"]

    def ended(email_id: str) -> dict[str, object]:
        task: dict[str, object] = http.get(f"/tasks/{email_id}").get_json()
        return task if task["ready"] else {}

    task = wait_for(lambda: ended(sent), limit=LIMIT, what="the email to be sent")
    assert (task["state"], task["successful"], task["value"], task["error"]) == ("succeeded", True, 1, None)
    task = wait_for(lambda: ended(refused), limit=LIMIT, what="the email to be refused")
    assert (task["state"], task["successful"], task["value"]) == ("failed", False, None)
    assert "550 No such person here" in str(task["error"])
    assert [email.to for email in server.taken] == [[ADA]]
