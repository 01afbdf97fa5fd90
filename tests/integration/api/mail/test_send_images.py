"""Mailing the results of a group that has ended."""

from collections.abc import Callable

import pytest
from darkroom_contracts.ids import new_group_id
from darkroom_contracts.mail import Address
from darkroom_records.groups import GroupStore, NewImage, Terms
from darkroom_records.outbox import EmailRecord
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

Emails = Callable[[], list[EmailRecord]]
EndGroup = Callable[..., str]

BOTH = pytest.mark.parametrize("method", ["GET", "POST"])


def ask(http: FlaskClient, method: str, group_id: str) -> TestResponse:
    return http.open(f"/send_images/{group_id}", method=method)


@BOTH
def test_the_results_are_mailed_and_the_mail_is_a_task(
    http: FlaskClient, end_group: EndGroup, emails: Emails, method: str
) -> None:
    answer = ask(http, method, end_group())
    assert answer.status_code == 202
    (email,) = emails()
    assert answer.get_json() == {"id": email.email_id}
    assert email.kind == "results"
    task = http.get(f"/tasks/{email.email_id}").get_json()
    assert (task["id"], task["state"], task["ready"]) == (email.email_id, "queued", False)


def test_asked_twice_it_is_one_email(http: FlaskClient, end_group: EndGroup, emails: Emails) -> None:
    group_id = end_group()
    first, second = ask(http, "POST", group_id), ask(http, "GET", group_id)
    assert first.get_json() == second.get_json()
    assert len(emails()) == 1


@BOTH
@pytest.mark.parametrize("group_id", [new_group_id(), "x", "../../etc"])
def test_an_unknown_group_is_not_found(http: FlaskClient, method: str, group_id: str) -> None:
    answer = ask(http, method, group_id)
    assert answer.status_code == 404
    assert answer.mimetype == "application/problem+json"


@BOTH
def test_a_running_group_is_not_mailed_yet(http: FlaskClient, groups: GroupStore, emails: Emails, method: str) -> None:
    group_id = new_group_id()
    groups.create(group_id, [NewImage("a.png")], (), Terms(email=Address("ada@example.org")))
    answer = ask(http, method, group_id)
    assert answer.status_code == 409
    assert "Retry-After" in answer.headers
    assert emails() == []


@BOTH
def test_a_group_without_an_address_cannot_be_mailed(http: FlaskClient, end_group: EndGroup, method: str) -> None:
    answer = ask(http, method, end_group(None))
    assert answer.status_code == 422
    assert "no email address" in answer.get_json()["detail"]


def test_looking_with_head_sends_no_email(http: FlaskClient, end_group: EndGroup, emails: Emails) -> None:
    answer = ask(http, "HEAD", end_group())
    assert answer.status_code == 405
    assert emails() == []


def test_a_key_is_asked_for_where_there_are_keys(make_http: Callable[..., FlaskClient], end_group: EndGroup) -> None:
    http = make_http(api_keys="secret")
    for method in ("GET", "POST"):
        assert ask(http, method, end_group()).status_code == 401


def give(http: FlaskClient, group_id: str, email: object) -> TestResponse:
    return http.post(f"/send_images/{group_id}", json={"email": email})


def test_a_group_without_an_address_can_be_given_one_and_is_mailed_there(
    http: FlaskClient, groups: GroupStore, end_group: EndGroup, emails: Emails
) -> None:
    group_id = end_group(None)
    answer = give(http, group_id, "ada@example.org")
    assert answer.status_code == 202
    assert groups.read(group_id).email == "ada@example.org"
    (email,) = emails()
    assert answer.get_json() == {"id": email.email_id}
    assert give(http, group_id, "ada@example.org").get_json() == {"id": email.email_id}
    assert ask(http, "GET", group_id).get_json() == {"id": email.email_id}
    assert len(emails()) == 1


def test_a_group_keeps_the_address_it_has(
    http: FlaskClient, groups: GroupStore, end_group: EndGroup, emails: Emails
) -> None:
    group_id = end_group("ada@example.org")
    answer = give(http, group_id, "eve@example.org")
    assert answer.status_code == 409
    assert "already has a different email address" in answer.get_json()["detail"]
    assert "ada" not in answer.text, "an address is not told to strangers"
    assert groups.read(group_id).email == "ada@example.org"
    assert emails() == []


@pytest.mark.parametrize("body", [{}, {"email": None}])
def test_a_body_without_an_address_changes_nothing(
    http: FlaskClient, end_group: EndGroup, body: dict[str, object]
) -> None:
    assert http.post(f"/send_images/{end_group()}", json=body).status_code == 202
    assert http.post(f"/send_images/{end_group(None)}", json=body).status_code == 422


@pytest.mark.parametrize("email", ["", "ada", "ada@example.org, eve@example.org", "ada@example.org\r\nBcc: e@x.org", 1])
def test_what_is_no_address_is_refused_as_in_a_submission(
    http: FlaskClient, groups: GroupStore, end_group: EndGroup, email: object
) -> None:
    group_id = end_group(None)
    assert give(http, group_id, email).status_code == 422
    assert groups.read(group_id).email is None


def test_a_running_group_is_given_no_address(http: FlaskClient, groups: GroupStore) -> None:
    group_id = new_group_id()
    groups.create(group_id, [NewImage("a.png")], ())
    assert give(http, group_id, "ada@example.org").status_code == 409
    assert groups.read(group_id).email is None


def test_who_asks_for_too_many_emails_sets_no_address(
    make_http: Callable[..., FlaskClient], groups: GroupStore, end_group: EndGroup, emails: Emails
) -> None:
    http = make_http(mail_limit_per_address="1/hour")
    assert give(http, end_group(None), "ada@example.org").status_code == 202
    group_id = end_group(None)
    assert give(http, group_id, "ada@example.org").status_code == 429
    assert groups.read(group_id).email is None
    assert len(emails()) == 1


def test_of_two_addresses_given_at_once_one_stays(groups: GroupStore, end_group: EndGroup) -> None:
    group_id = end_group(None)
    assert groups.set_email(group_id, Address("ada@example.org"))
    assert groups.set_email(group_id, Address("ada@example.org")), "asked again because the answer was lost"
    assert not groups.set_email(group_id, Address("eve@example.org"))
    assert groups.read(group_id).email == "ada@example.org"


def test_a_body_of_another_type_is_refused(http: FlaskClient, end_group: EndGroup) -> None:
    answer = http.post(f"/send_images/{end_group(None)}", data="email=ada@example.org", content_type="text/plain")
    assert answer.status_code == 415
