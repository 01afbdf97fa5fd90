"""Where the time of an image went."""

import time
from datetime import UTC, datetime
from typing import Any

import pytest
from darkroom_contracts.ids import new_group_id
from darkroom_contracts.problems import ProblemCode
from darkroom_records.groups import GroupStore, NewImage, Outcome
from flask.testing import FlaskClient


@pytest.fixture
def group(store: GroupStore) -> str:
    group_id = new_group_id()
    store.create(group_id, [NewImage("a.png")], ())
    return group_id


def timeline(http: FlaskClient, group_id: str) -> Any:
    answer = http.get(f"/images/{group_id}/0/timeline")
    assert answer.status_code == 200, answer.text
    return answer.get_json()


def at(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")


def test_an_image_that_waits_says_since_when(http: FlaskClient, group: str) -> None:
    told = timeline(http, group)
    assert (told["state"], told["attempt"], told["began_at"], told["steps"]) == ("queued", None, None, [])
    assert told["queued_at"] == told["created_at"]
    assert 0 <= told["waited"] < 60
    assert told["worked"] is None


def test_an_image_that_runs_says_which_attempt_that_is(http: FlaskClient, store: GroupStore, group: str) -> None:
    store.begin(group, 0, worker="test", delivery=0)
    told = timeline(http, group)
    assert (told["state"], told["attempt"], told["ended_at"], told["other"]) == ("processing", 1, None, None)
    assert told["began_at"] >= told["queued_at"]
    assert 0 <= told["worked"] < 60


def test_an_image_that_ended_says_how_long_each_step_took(http: FlaskClient, store: GroupStore, group: str) -> None:
    work = store.begin(group, 0, worker="test", delivery=0)
    assert work
    began = time.time() + 2
    steps = {"read": 0.25, "decode": 0.5, "encode": 1.0}
    outcome = Outcome(None, "png", 8, 6, 70, "ab" * 32, began_at=began, ended_at=began + 2, steps=steps)
    store.succeed(work, outcome)
    told = timeline(http, group)
    assert (told["began_at"], told["ended_at"], told["attempt"]) == (at(began), at(began + 2), None)
    assert told["steps"] == [{"step": step, "seconds": seconds} for step, seconds in steps.items()]
    assert (told["worked"], told["other"]) == (2.0, 0.25)
    assert 1 < told["waited"] < 60


def test_what_is_not_known_is_null(http: FlaskClient, store: GroupStore, group: str) -> None:
    work = store.begin(group, 0, worker="test", delivery=0)
    assert work
    store.give_up(group, 0, worker="test", error="It took too long.", code=ProblemCode.TIME_LIMIT_EXCEEDED)
    told = timeline(http, group)
    assert told["state"] == "failed"
    assert {told[name] for name in ("began_at", "ended_at", "waited", "worked", "other")} == {None}


@pytest.mark.parametrize("path", ["{group}/1", "{unknown}/0"])
def test_an_image_that_there_is_not_has_no_timeline(http: FlaskClient, group: str, path: str) -> None:
    answer = http.get(f"/images/{path.format(group=group, unknown='0' * 32)}/timeline")
    assert answer.status_code == 404
