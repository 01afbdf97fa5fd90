"""What is wrong with a value is said in sentences of ours."""

from typing import Any, get_args

import pytest
from darkroom_api.groups.requests import BlurMembers, IdempotencyHeader, ProcessImages
from darkroom_api.groups.results import ResultQuery
from darkroom_api.groups.status import StatusQuery
from darkroom_api.http import json_text
from darkroom_api.http.problems import Problem
from darkroom_api.http.validation import refuse
from darkroom_api.mail.emails import EmailOrder, ResultsOrder
from darkroom_api.mail.newsletter import Subscription
from darkroom_api.operators.diagnostics import AddPath, CountOrder
from darkroom_contracts.sentences import sentence
from darkroom_imaging.operations import OPERATIONS
from pydantic import BaseModel, ValidationError
from pydantic_core.core_schema import ErrorType

MODEL_TYPES: list[type[BaseModel]] = [
    *OPERATIONS.values(),
    ProcessImages,
    BlurMembers,
    IdempotencyHeader,
    ResultQuery,
    StatusQuery,
    EmailOrder,
    ResultsOrder,
    Subscription,
    AddPath,
    CountOrder,
]
WRONG: list[Any] = [
    None,
    True,
    "",
    "x",
    "x" * 10_000,
    0,
    -1,
    1e308,
    1.5,
    2**70,
    float("nan"),
    [],
    [1],
    [[1, 2]],
    {},
    {"a": 1},
]
PYDANTIC = (
    "Input should",
    "unable to",
    "Field required",
    "Extra inputs",
    "should have",
    "String should",
    "Value error",
)


def mistakes_of(model: type[BaseModel], field: str, value: Any) -> list[str]:
    try:
        model.model_validate({field: value, "unknown": 1})
    except ValidationError as error:
        with pytest.raises(Problem) as refusal:
            refuse(error)
        return [mistake["message"] for mistake in refusal.value.errors]
    except Problem:
        return []
    return []


@pytest.mark.parametrize("model", MODEL_TYPES, ids=lambda model: model.__name__)
def test_no_sentence_of_pydantic_reaches_anybody(model: type[BaseModel]) -> None:
    seen = 0
    for name, field in model.model_fields.items():
        for value in WRONG:
            for said in mistakes_of(model, field.alias or name, value):
                seen += 1
                assert not any(words in said for words in PYDANTIC), said
    assert seen


@pytest.mark.parametrize("kind", sorted(get_args(ErrorType)))
def test_every_mistake_that_pydantic_knows_has_a_sentence_of_ours(kind: str) -> None:
    context: dict[str, Any] = dict.fromkeys(("gt", "ge", "lt", "le", "min_length", "max_length", "multiple_of"), 3)
    context |= dict.fromkeys(("expected", "pattern", "tag", "error", "discriminator", "expected_tags"), "x")
    assert sentence(kind, context)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[" * 5000, "it is nested too deeply at line 1 column"),
        ('{"a":' * 5000, "it is nested too deeply at line 1 column"),
        ("1" * 5000, "it has a number with too many digits"),
        ("[1,]", "it has a trailing comma at line 1 column 4"),
        ("[1", "it ends too early at line 1 column 2"),
        ("", "it ends too early"),
        ("[1] 2", "something follows its end"),
        ('"\\ud800"', "a string has an invalid escape sequence"),
        ("{'a': 1}", "it breaks at line 1 column 2"),
    ],
)
def test_broken_json_is_described_in_words_of_ours(text: str, reason: str) -> None:
    with pytest.raises(json_text.InvalidJsonError, match="is not valid JSON: ") as refusal:
        json_text.parse(text)
    assert reason in str(refusal.value)
