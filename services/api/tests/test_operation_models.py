"""Operations in requests follow from their definitions."""

import json
from dataclasses import fields
from typing import Any

import pytest
from darkroom_api.groups.operations import MODELS, Operations
from darkroom_contracts.operations import OPERATIONS, Blur, Convert, Crop, Operation, Resize, Watermark
from pydantic import TypeAdapter, ValidationError

READER: TypeAdapter[list[Operation]] = TypeAdapter(Operations)


def read(*operations: Any) -> list[Operation]:
    return READER.validate_json(json.dumps(operations))


def test_every_operation_can_be_asked_for() -> None:
    assert set(MODELS) == set(OPERATIONS)


@pytest.mark.parametrize(
    ("asked", "meant"),
    [
        ({"op": "blur"}, Blur()),
        ({"op": "blur", "radius": 7}, Blur(radius=7.0)),
        ({"op": "blur", "regions": [[0, 0, 0.5, 0.5]]}, Blur(regions=((0.0, 0.0, 0.5, 0.5),))),
        ({"op": "resize", "width": 400}, Resize(width=400)),
        ({"op": "resize", "width": 400.0}, Resize(width=400)),
        ({"op": "convert", "format": "webp", "quality": 80}, Convert(format="webp", quality=80)),
        ({"op": "crop", "box": [1, 2, 3, 4]}, Crop(box=(1.0, 2.0, 3.0, 4.0))),
        ({"op": "watermark", "text": "mine"}, Watermark(text="mine")),
    ],
)
def test_what_is_asked_for_becomes_an_operation(asked: dict[str, Any], meant: Operation) -> None:
    assert read(asked) == [meant]


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"op": "sparkle"},
        {"op": "blur", "radius": 0},
        {"op": "blur", "radius": 251},
        {"op": "blur", "radius": "5"},
        {"op": "blur", "radius": None},
        {"op": "blur", "radius": True},
        {"op": "blur", "radius": float("nan")},
        {"op": "blur", "radius": float("inf")},
        {"op": "blur", "sigma": 5},
        {"op": "blur", "regions": []},
        {"op": "blur", "regions": [[1, 2, 3]]},
        {"op": "resize"},
        {"op": "resize", "width": 1.5},
        {"op": "resize", "width": 20_000},
        {"op": "crop", "box": [0, 0, 1, 1], "width": 5},
        {"op": "crop", "width": 5},
        {"op": "convert"},
        {"op": "convert", "format": "bmp"},
        {"op": "watermark"},
        {"op": "watermark", "image_id": "0" * 32},
        "blur",
        None,
    ],
)
def test_what_is_no_operation_is_refused(asked: Any) -> None:
    with pytest.raises(ValidationError):
        read(asked)


NUMBERS = [
    (name, argument.name)
    for name, operation in OPERATIONS.items()
    for argument in fields(operation)  # type: ignore[arg-type]  # every operation is a dataclass
    if {"ge", "gt"} & set(argument.metadata)
]
ABSURD = (
    "NaN",
    "Infinity",
    "-Infinity",
    "1e308",
    "-1e308",
    "1e999",
    "-1e999",
    "1e7",
    "9" * 400,
    "9" * 5000,
    "true",
    '"5"',
)


@pytest.mark.parametrize(("operation", "argument"), NUMBERS)
@pytest.mark.parametrize("number", ABSURD, ids=lambda number: number[:12])
def test_an_absurd_number_is_refused(operation: str, argument: str, number: str) -> None:
    needed: dict[str, dict[str, Any]] = {"watermark": {"text": "x"}, "convert": {"format": "png"}}
    asked = json.dumps({"op": operation} | needed.get(operation, {}) | {argument: 0})
    with pytest.raises(ValidationError) as refusal:
        READER.validate_json(f"[{asked}]".replace(f'"{argument}": 0', f'"{argument}": {number}'))
    assert all(mistake["loc"] in ((), (0, operation, argument)) for mistake in refusal.value.errors())


@pytest.mark.parametrize("number", ABSURD, ids=lambda number: number[:12])
@pytest.mark.parametrize("place", range(4))
@pytest.mark.parametrize("operation", ["crop", "blur", "pixelate"])
def test_an_absurd_region_is_refused(operation: str, place: int, number: str) -> None:
    region = ", ".join(number if place == at else "1" for at in range(4))
    member = f'"box": [{region}]' if operation == "crop" else f'"regions": [[{region}]]'
    with pytest.raises(ValidationError):
        READER.validate_json(f'[{{"op": "{operation}", {member}}}]')


def test_the_limits_of_a_region_reach_the_document() -> None:
    box = MODELS["crop"].model_json_schema()["properties"]["box"]
    limits = {(place["minimum"], place["maximum"]) for place in box["prefixItems"]}
    assert (len(box["prefixItems"]), limits) == (4, {(-1_000_000, 1_000_000)})


def test_a_pipeline_has_at_most_twenty_operations() -> None:
    assert len(read(*[{"op": "grayscale"}] * 20)) == 20
    with pytest.raises(ValidationError, match="at most 20"):
        read(*[{"op": "grayscale"}] * 21)


def test_limits_and_descriptions_reach_the_document() -> None:
    radius = MODELS["blur"].model_json_schema()["properties"]["radius"]
    assert (radius["exclusiveMinimum"], radius["maximum"], radius["default"]) == (0, 250, 5.0)
    assert radius["description"]
