"""Asking, with the images, for an email at the end of their group."""

import base64
import io
import json
from collections.abc import Callable
from typing import Any

import pytest
from darkroom_contracts.problems import ProblemCode
from darkroom_records.groups import GroupStore
from flask.testing import FlaskClient
from redis import Redis
from support.api_cases import png, post_files
from support.redis_keys import groups_to_notify
from werkzeug.test import TestResponse

ADA = "ada@example.org"
Send = Callable[..., TestResponse]


def as_json(http: FlaskClient, notify: bool | None = None, **members: Any) -> TestResponse:
    asked = {} if notify is None else {"notify": notify}
    return http.post("/process_images", json={"images": [base64.b64encode(png()).decode()], **asked, **members})


def as_form(http: FlaskClient, notify: bool | None = None, **members: str) -> TestResponse:
    asked = {} if notify is None else {"notify": json.dumps(notify)}
    return post_files(http, [("a.png", png())], None, None, **asked, **members)


def as_blur(http: FlaskClient, notify: bool | None = None, **members: str) -> TestResponse:
    asked = {} if notify is None else {"notify": json.dumps(notify)}
    return http.post("/blur", data={"images": (io.BytesIO(png()), "a.png"), **asked, **members})


@pytest.mark.parametrize("send", [as_json, as_form, as_blur])
@pytest.mark.parametrize("notify", [True, False, None])
def test_a_group_is_noted_for_its_email_at_its_end_where_that_was_asked_for(
    http: FlaskClient, groups: GroupStore, redis: Redis, send: Send, notify: bool | None
) -> None:
    answer = send(http, notify, email=ADA)
    assert answer.status_code == 202
    group_id = answer.get_json()["group_id"]
    work = groups.begin(group_id, 0, worker="test", delivery=0)
    assert work
    groups.fail(work, "It is damaged.", ProblemCode.DAMAGED_IMAGE)
    assert groups_to_notify(redis) == ([group_id] if notify else [])


@pytest.mark.parametrize("send", [as_json, as_form])
def test_without_an_address_nobody_can_be_notified(http: FlaskClient, redis: Redis, send: Send) -> None:
    answer = send(http, True)
    assert answer.status_code == 422
    assert answer.get_json()["error"] == "notify: needs an `email` to send the results to"
    assert redis.keys("darkroom:group:*") == []
    assert send(http, False).status_code == 202


@pytest.mark.parametrize("text", ["yes", "1", "True", "", "null"])
def test_what_is_neither_true_nor_false_is_refused(http: FlaskClient, text: str) -> None:
    picture = io.BytesIO(png())
    assert post_files(http, [("a.png", png())], notify=text, email=ADA).status_code == 422
    assert http.post("/blur", data={"images": (picture, "a.png"), "notify": text, "email": ADA}).status_code == 422


def test_a_group_that_is_to_be_mailed_counts_as_an_email(make_http: Callable[..., FlaskClient], redis: Redis) -> None:
    http = make_http(mail_limit_per_address="1/hour")
    assert as_json(http, True, email=ADA).status_code == 202
    made = set(redis.keys("darkroom:group:*"))
    refused = as_json(http, True, email=ADA)
    assert refused.status_code == 429
    assert set(redis.keys("darkroom:group:*")) == made, "a refused group leaves nothing behind"
    assert as_json(http, False, email=ADA).status_code == 202
