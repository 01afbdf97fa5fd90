"""Mailing the results of a group that has ended."""

from collections.abc import Callable

import pytest
from darkroom_contracts.keys import new_group_id
from darkroom_records.groups import GroupStore, NewImage
from darkroom_records.outbox import MailRecord
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

Mails = Callable[[], list[MailRecord]]
EndGroup = Callable[..., str]

BOTH = pytest.mark.parametrize("method", ["GET", "POST"])


def ask(http: FlaskClient, method: str, group_id: str) -> TestResponse:
    return http.open(f"/send_images/{group_id}", method=method)


@BOTH
def test_the_results_are_mailed_and_the_mail_is_a_task(
    http: FlaskClient, end_group: EndGroup, mails: Mails, method: str
) -> None:
    answer = ask(http, method, end_group())
    assert answer.status_code == 202
    (mail,) = mails()
    assert answer.get_json() == {"id": mail.mail_id}
    assert mail.kind == "results"
    task = http.get(f"/tasks/{mail.mail_id}").get_json()
    assert (task["id"], task["state"], task["ready"]) == (mail.mail_id, "queued", False)


def test_asked_twice_it_is_one_mail(http: FlaskClient, end_group: EndGroup, mails: Mails) -> None:
    group_id = end_group()
    first, second = ask(http, "POST", group_id), ask(http, "GET", group_id)
    assert first.get_json() == second.get_json()
    assert len(mails()) == 1


@BOTH
@pytest.mark.parametrize("group_id", [new_group_id(), "x", "../../etc"])
def test_an_unknown_group_is_not_found(http: FlaskClient, method: str, group_id: str) -> None:
    answer = ask(http, method, group_id)
    assert answer.status_code == 404
    assert answer.mimetype == "application/problem+json"


@BOTH
def test_a_running_group_is_not_mailed_yet(http: FlaskClient, groups: GroupStore, mails: Mails, method: str) -> None:
    group_id = new_group_id()
    groups.create(group_id, [NewImage("a.png")], (), email="ada@example.org")
    answer = ask(http, method, group_id)
    assert answer.status_code == 409
    assert "Retry-After" in answer.headers
    assert mails() == []


@BOTH
def test_a_group_without_an_address_cannot_be_mailed(http: FlaskClient, end_group: EndGroup, method: str) -> None:
    answer = ask(http, method, end_group(None))
    assert answer.status_code == 422
    assert "no e-mail address" in answer.get_json()["detail"]


def test_looking_with_head_sends_no_mail(http: FlaskClient, end_group: EndGroup, mails: Mails) -> None:
    answer = ask(http, "HEAD", end_group())
    assert answer.status_code == 405
    assert mails() == []


def test_a_key_is_asked_for_where_there_are_keys(make_http: Callable[..., FlaskClient], end_group: EndGroup) -> None:
    http = make_http(api_keys="secret")
    for method in ("GET", "POST"):
        assert ask(http, method, end_group()).status_code == 401
