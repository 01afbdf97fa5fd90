"""Mistakes are told in sentences of ours."""

import pytest
from darkroom_contracts.sentences import SENTENCE, place, sentence


@pytest.mark.parametrize(
    ("kind", "context", "said"),
    [
        ("less_than_equal", {"le": 1_000_000.0}, "must be at most 1,000,000"),
        ("greater_than", {"gt": 0}, "must be greater than 0"),
        ("too_short", {"min_length": 1}, "needs at least 1 item"),
        ("too_long", {"max_length": 20}, "can have at most 20 items"),
        ("bool_parsing", {}, "must be true or false"),
        ("literal_error", {"expected": "'a' or 'b'"}, "must be 'a' or 'b'"),
        (SENTENCE, {"sentence": "crop needs a box"}, "crop needs a box"),
        ("a kind that pydantic has added since", {"x": 1}, "is not valid"),
    ],
)
def test_a_mistake_is_said_for_people(kind: str, context: dict[str, object], said: str) -> None:
    assert sentence(kind, context) == said


KINDS = frozenset({"blur"})


def test_a_wrong_name_of_a_member_is_the_place_itself() -> None:
    assert place(("outputs", "A name", "[key]")) == "outputs.A name"


def test_a_place_is_written_as_in_a_program() -> None:
    assert (
        place(("operations", 1, "blur", "regions", 0, 2), besides=frozenset({"blur"})) == "operations[1].regions[0][2]"
    )
