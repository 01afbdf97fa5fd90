"""Sending an email for somebody who has a key."""

from collections.abc import Callable

import pytest
from darkroom_records.outbox import EmailRecord
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

Emails = Callable[[], list[EmailRecord]]
MAIL = {"to": "ada@example.org", "subject": "Grüße", "body": "Good day.\n"}


@pytest.fixture
def keyed(make_http: Callable[..., FlaskClient]) -> FlaskClient:
    """An API with a key."""
    return make_http(api_keys="secret")


def send(http: FlaskClient, **changes: object) -> TestResponse:
    return http.post("/send_email", json=MAIL | changes, headers={"Authorization": "Bearer secret"})


def test_an_email_is_taken_in_and_is_a_task(keyed: FlaskClient, emails: Emails) -> None:
    answer = send(keyed)
    assert answer.status_code == 202
    (email,) = emails()
    assert answer.get_json() == {"id": email.email_id}
    assert keyed.get(f"/tasks/{email.email_id}").get_json()["state"] == "queued"
    cancel = f"/tasks/{email.email_id}/cancel"
    assert keyed.post(cancel).status_code == 401
    assert keyed.post(cancel, headers={"Authorization": "Bearer secret"}).status_code == 409


def test_without_the_key_nothing_is_sent(keyed: FlaskClient, emails: Emails) -> None:
    assert keyed.post("/send_email", json=MAIL).status_code == 401
    assert emails() == []


def test_where_no_key_is_set_it_is_switched_off(http: FlaskClient, emails: Emails) -> None:
    answer = send(http)
    assert answer.status_code == 403
    assert "DARKROOM_API_KEYS" in answer.get_json()["detail"]
    assert emails() == []


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("to", "ada@example.org\r\nBcc: eve@example.org"),
        ("to", "ada@example.org\n"),
        ("to", "ada@example.org,eve@example.org"),
        ("to", "ada@example.org eve@example.org"),
        ("to", "Ada <ada@example.org>"),
        ("to", "ada@example.org>\r\nDATA"),
        ("to", f"{'a' * 65}@example.org"),
        ("to", f"a@{'b' * 250}.org"),
        ("to", "ädä@example.org"),
        ("to", ""),
        ("to", ["ada@example.org"]),
        ("subject", "Hello\r\nBcc: eve@example.org"),
        ("subject", "Hello\nworld"),
        ("subject", "Hello\u2028world"),
        ("subject", "x" * 201),
        ("subject", ""),
        ("body", "x" * 100_001),
        ("body", ""),
        ("cc", "eve@example.org"),
    ],
)
def test_what_cannot_be_sent_safely_is_refused(keyed: FlaskClient, emails: Emails, field: str, text: object) -> None:
    answer = send(keyed, **{field: text})
    assert answer.status_code == 422
    assert answer.get_json()["error"]
    assert emails() == []


def test_half_a_character_is_refused(keyed: FlaskClient) -> None:
    body = '{"to": "ada@example.org", "subject": "Hello", "body": "\\ud83d"}'
    answer = keyed.post(
        "/send_email", data=body, content_type="application/json", headers={"Authorization": "Bearer secret"}
    )
    assert answer.status_code in {400, 422}


def test_the_longest_mail_is_taken_however_it_is_written(keyed: FlaskClient) -> None:
    assert send(keyed, subject="ü" * 200, body="😀" * 100_000).status_code == 202


def test_a_domain_of_other_letters_is_written_to_in_ascii(keyed: FlaskClient) -> None:
    assert send(keyed, to="ada@bücher.de").status_code == 202
