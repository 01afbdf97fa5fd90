"""How many emails may be asked for."""

from collections.abc import Callable
from typing import Any

import pytest
from darkroom_api.settings import ApiSettings
from darkroom_records.outbox import EmailRecord
from flask.testing import FlaskClient
from pydantic import ValidationError
from redis import Redis
from werkzeug.test import TestResponse

MakeHttp = Callable[..., FlaskClient]
Emails = Callable[[], list[EmailRecord]]


def subscribe(http: FlaskClient, email: str, client: str = "192.0.2.1", **headers: str) -> TestResponse:
    return http.post("/subscribe", json={"email": email}, environ_base={"REMOTE_ADDR": client}, headers=headers)


def statuses(answers: list[TestResponse]) -> list[int]:
    return [answer.status_code for answer in answers]


def test_a_client_asks_for_so_many_emails_and_no_more(make_http: MakeHttp, emails: Emails) -> None:
    http = make_http(mail_limit_per_client="3/hour")
    answers = [subscribe(http, f"reader{number}@example.org") for number in range(5)]
    assert statuses(answers) == [202, 202, 202, 429, 429]
    assert len(emails()) == 3
    assert subscribe(http, "other@example.org", client="192.0.2.2").status_code == 202


def test_an_address_is_written_to_so_often_and_no_more_whoever_asks(make_http: MakeHttp) -> None:
    http = make_http(mail_limit_per_address="2/hour")
    spellings = ["ada@example.org", "Ada@Example.org", "ada+news@example.org", "ada@example.org"]
    answers = [subscribe(http, email, client=f"192.0.2.{number}") for number, email in enumerate(spellings)]
    assert statuses(answers) == [202, 202, 429, 429]


def test_a_refusal_says_what_and_when_to_come_back(make_http: MakeHttp) -> None:
    http = make_http(mail_limit_per_client="1/hour")
    subscribe(http, "ada@example.org")
    refused = subscribe(http, "bob@example.org")
    assert refused.mimetype == "application/problem+json"
    assert 1 <= int(refused.headers["Retry-After"]) <= 3600
    assert refused.get_json()["error"] == "Too many emails"


def test_who_is_refused_anyway_cannot_use_up_an_address(make_http: MakeHttp) -> None:
    http = make_http(mail_limit_per_client="1/hour", mail_limit_per_address="2/hour")
    subscribe(http, "bob@example.org")
    for _ in range(3):
        assert subscribe(http, "ada@example.org").status_code == 429
    assert subscribe(http, "ada@example.org", client="192.0.2.2").status_code == 202


def test_everything_that_sends_mail_counts_together(make_http: MakeHttp, end_group: Callable[..., str]) -> None:
    http = make_http(mail_limit_per_client="2/hour", api_keys="secret")
    key = {"Authorization": "Bearer secret"}
    order = {"to": "ada@example.org", "subject": "Hello", "body": "Good day."}
    asks: list[Callable[[], TestResponse]] = [
        lambda: http.get(f"/send_images/{end_group('bob@example.org')}", headers=key),
        lambda: http.post("/send_email", json=order, headers=key),
        lambda: http.post("/subscribe", json={"email": "eve@example.org"}, headers=key),
    ]
    assert statuses([ask() for ask in asks]) == [202, 202, 429]
    assert statuses([ask() for ask in asks]) == [429, 429, 429]


def test_two_processes_count_together(make_http: MakeHttp) -> None:
    one, other = (make_http(mail_limit_per_client="1/hour") for _ in range(2))
    assert subscribe(one, "ada@example.org").status_code == 202
    assert subscribe(other, "bob@example.org").status_code == 429


def test_no_count_is_kept_for_longer_than_it_counts(make_http: MakeHttp, redis: Redis) -> None:
    subscribe(make_http(), "ada@example.org")
    counts = redis.keys("darkroom:mails:limits:*")
    assert len(counts) == 2
    assert all(0 < redis.ttl(count) <= 2 * 3600 for count in counts)


def test_an_ipv6_site_is_one_client(make_http: MakeHttp) -> None:
    http = make_http(mail_limit_per_client="1/hour")
    assert subscribe(http, "a@example.org", client="2001:db8:0:1::1").status_code == 202
    assert subscribe(http, "b@example.org", client="2001:db8:0:1:ffff::2").status_code == 429
    assert subscribe(http, "c@example.org", client="2001:db8:0:2::1").status_code == 202


def test_ipv4_clients_of_an_ipv6_socket_are_told_apart(make_http: MakeHttp) -> None:
    http = make_http(mail_limit_per_client="1/hour")
    assert subscribe(http, "a@example.org", client="::ffff:192.0.2.1").status_code == 202
    assert subscribe(http, "b@example.org", client="::ffff:192.0.2.2").status_code == 202


def test_a_client_cannot_say_that_it_is_another_one(make_http: MakeHttp) -> None:
    http = make_http(mail_limit_per_client="1/hour")
    asked: dict[str, Any] = {"X-Forwarded-For": "198.51.100.1"}
    assert subscribe(http, "a@example.org").status_code == 202
    assert subscribe(http, "b@example.org", **asked).status_code == 429


@pytest.mark.parametrize(("forged", "status"), [("", 202), ("203.0.113.7, ", 202)])
def test_behind_a_proxy_its_clients_are_told_apart_and_no_forgery_is_believed(
    make_http: MakeHttp, forged: str, status: int
) -> None:
    http = make_http(mail_limit_per_client="1/hour", trusted_proxies=1)
    proxied = {"X-Forwarded-For": f"{forged}198.51.100.1"}
    assert subscribe(http, "a@example.org", **proxied).status_code == status
    assert subscribe(http, "b@example.org", **{"X-Forwarded-For": "198.51.100.2"}).status_code == 202
    assert subscribe(http, "c@example.org", **{"X-Forwarded-For": "192.0.2.77, 198.51.100.1"}).status_code == 429


@pytest.mark.parametrize("rate", ["many", "20", "20/fortnight", "-1/hour"])
def test_a_limit_that_means_nothing_is_refused_with_a_sentence(rate: str) -> None:
    with pytest.raises(ValidationError, match="such as 20/hour"):
        ApiSettings.model_validate({"mail_limit_per_client": rate})
