"""What was written down of an image that ended, as another version may have done it."""

import json

import pytest
from darkroom_contracts.problems import ProblemCode
from darkroom_records.groups.records import Outcome


def test_an_outcome_is_read_as_it_was_written() -> None:
    outcome = Outcome(error="Processing crashed.", code=ProblemCode.WORKER_CRASHED)
    assert Outcome.from_json(outcome.to_json()) == outcome


@pytest.mark.parametrize("code", ["invented_later", "", None, 7, ["a"]])
def test_a_code_that_is_not_known_is_left_out(code: object) -> None:
    assert Outcome.from_json(json.dumps({"error": "No.", "code": code})) == Outcome(error="No.")


def test_a_member_that_is_not_known_is_left_out() -> None:
    assert Outcome.from_json('{"width": 3, "invented_later": 1}') == Outcome(width=3)
