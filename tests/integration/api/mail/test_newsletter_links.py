"""Subscribing, and the pages behind the links in emails."""

import re
from collections.abc import Callable

import pytest
from darkroom_api.settings import ApiSettings
from darkroom_contracts.mail import Address
from darkroom_records.links import Links
from darkroom_records.outbox import EmailRecord
from darkroom_records.subscribers import Subscribers
from flask.testing import FlaskClient
from redis import Redis

ADA = Address("ada@example.org")
Emails = Callable[[], list[EmailRecord]]


@pytest.fixture
def links(redis: Redis, redis_url: str) -> Links:
    """The links that a mailer writes."""
    return Links(ApiSettings.model_validate({"redis_url": redis_url}), redis)


def path_of(link: str) -> str:
    return link.removeprefix("http://127.0.0.1:8000")


@pytest.mark.parametrize("form", ["json", "data"])
def test_an_address_is_asked_by_mail_and_nothing_else_happens(
    http: FlaskClient, emails: Emails, subscribers: Subscribers, form: str
) -> None:
    answer = http.post("/subscribe", **{form: {"email": ADA}})
    assert answer.status_code == 202
    assert [email.kind for email in emails()] == ["confirmation"]
    assert ADA not in subscribers


def test_answers_do_not_tell_whether_an_address_is_known(http: FlaskClient, subscribers: Subscribers) -> None:
    subscribers.request(ADA)
    subscribers.confirm(ADA)
    for path in ("/subscribe", "/unsubscribe"):
        known, unknown = (http.post(path, json={"email": email}) for email in (ADA, "bob@example.org"))
        assert (known.status_code, known.get_json()) == (unknown.status_code, unknown.get_json())
        assert set(known.headers.keys()) == set(unknown.headers.keys())


@pytest.mark.parametrize("form", ["json", "data"])
def test_an_address_is_enough_to_leave(http: FlaskClient, subscribers: Subscribers, form: str) -> None:
    subscribers.request(ADA)
    subscribers.confirm(ADA)
    assert http.post("/unsubscribe", **{form: {"email": ADA}}).status_code == 200
    assert ADA not in subscribers


@pytest.mark.parametrize("path", ["/subscribe", "/unsubscribe"])
def test_what_is_not_one_address_is_refused(http: FlaskClient, emails: Emails, path: str) -> None:
    for email in ("", "ada", "ada@example.org,bob@example.org", "ada@example.org\r\nBcc: bob@example.org"):
        assert http.post(path, json={"email": email}).status_code == 422
        assert http.post(path, data={"email": email}).status_code == 422
    assert http.post(path, data={"email": [ADA, "bob@example.org"]}).status_code == 422
    assert http.post(path, data={"email": ADA, "name": "Ada"}).status_code == 422
    assert http.post(path, json=[ADA]).status_code == 422
    assert http.post(path, data=b"{", content_type="application/json").status_code == 400
    assert http.post(path, data=ADA, content_type="text/plain").status_code == 415
    assert http.post(path, data={"email": "a" * 200_000}).status_code == 413
    assert emails() == []


def test_opening_the_link_confirms_nothing_and_the_button_does(
    http: FlaskClient, subscribers: Subscribers, links: Links
) -> None:
    subscribers.request(ADA)
    path = path_of(links.confirmation(ADA))
    page = http.get(path)
    assert page.status_code == 200
    assert '<form method="post"><button type="submit">' in page.text
    assert ADA in page.text
    assert ADA not in subscribers
    for _ in range(2):
        assert http.post(path).status_code == 200
    assert ADA in subscribers


def test_opening_the_link_of_a_letter_ends_nothing_and_the_button_does(
    http: FlaskClient, subscribers: Subscribers, links: Links
) -> None:
    subscribers.request(ADA)
    subscribers.confirm(ADA)
    path = path_of(links.unsubscription(ADA))
    assert '<form method="post">' in http.get(path).text
    assert ADA in subscribers
    assert http.post(path).status_code == 200
    assert ADA not in subscribers


def test_one_click_in_a_mail_program_unsubscribes_and_a_second_one_is_fine(
    http: FlaskClient, subscribers: Subscribers, links: Links
) -> None:
    subscribers.request(ADA)
    subscribers.confirm(ADA)
    path = path_of(links.unsubscription(ADA))
    for kind in ("application/x-www-form-urlencoded", "multipart/form-data"):
        answer = http.post(path, data={"List-Unsubscribe": "One-Click"}, content_type=kind)
        assert answer.status_code == 200
    assert ADA not in subscribers


@pytest.mark.parametrize("token", ["x", "x.y.z", "%F0%9F%98%80", "a" * 3000, "<script>alert(1)", "%00"])
def test_a_broken_link_gets_a_page_that_says_what_to_do(http: FlaskClient, token: str) -> None:
    confirming = [http.get(f"/confirm/{token}"), http.post(f"/confirm/{token}")]
    leaving = http.get(f"/unsubscribe/{token}")
    for page in (*confirming, leaving):
        assert (page.status_code, page.mimetype) == (404, "text/html")
        assert "This link does not work" in page.text
        assert "alert" not in page.text
    assert all("Subscribe again to get a new one." in page.text for page in confirming)
    assert "Copy the full link from the email." in leaving.text


def test_a_link_is_no_use_for_something_else(http: FlaskClient, subscribers: Subscribers, links: Links) -> None:
    subscribers.request(ADA)
    leaving = path_of(links.unsubscription(ADA)).rpartition("/")[2]
    page = http.post(f"/confirm/{leaving}")
    assert page.status_code == 404
    assert "Subscribe again to get a new one." in page.text
    assert ADA not in subscribers


def test_a_link_does_not_bring_back_who_has_left(http: FlaskClient, subscribers: Subscribers, links: Links) -> None:
    subscribers.request(ADA)
    path = path_of(links.confirmation(ADA))
    http.post(path)
    http.post("/unsubscribe", json={"email": ADA})
    page = http.post(path)
    assert page.status_code == 404
    assert "Subscribe again" in page.text
    assert ADA not in subscribers


def test_a_stale_link_of_a_letter_is_answered_with_200(http: FlaskClient) -> None:
    answer = http.post("/unsubscribe/stale", data={"List-Unsubscribe": "One-Click"})
    assert answer.status_code == 200
    assert "Copy the full link from the email." in answer.text


def test_the_pages_need_no_script_and_no_other_host(http: FlaskClient, links: Links) -> None:
    page = http.get(path_of(links.confirmation(ADA)))
    assert page.headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert page.headers["Cache-Control"] == "no-store"
    assert page.headers["Referrer-Policy"] == "no-referrer"
    assert "<script" not in page.text
    assert "//" not in page.text
    for address in re.findall(r'(?:href|src)="([^"]+)"', page.text):
        assert http.get(address, buffered=True).status_code == 200
