"""Pipelines travel as JSON and come back the same."""

import json
from typing import Any

import pytest
from darkroom_contracts.operations import (
    OPERATIONS,
    Blur,
    Convert,
    Crop,
    Operation,
    Resize,
    Watermark,
    from_message,
    to_message,
)


def travelled(*pipeline: Operation) -> tuple[Operation, ...]:
    return from_message(json.loads(json.dumps(to_message(pipeline))))


def test_a_pipeline_survives_its_journey() -> None:
    pipeline = (Blur(radius=2.5, regions=((0, 0, 0.5, 0.5), (1, 2, 30, 40))), Resize(width=10), Convert(format="webp"))
    assert travelled(*pipeline) == pipeline


def test_arguments_with_their_default_do_not_travel() -> None:
    assert to_message([Blur(), Resize(width=10)]) == [{"op": "blur"}, {"op": "resize", "width": 10}]


@pytest.mark.parametrize(
    "step",
    [{"op": "explode"}, {"op": "blur", "sigma": 3}, {"op": "convert"}, {"op": "resize"}],
    ids=["unknown operation", "unknown argument", "missing argument", "no size at all"],
)
def test_a_message_that_is_no_pipeline_is_refused(step: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"blur|resize|convert|explode"):
        from_message([step])


@pytest.mark.parametrize(
    ("operation", "arguments"),
    [
        (Resize, {}),
        (Crop, {}),
        (Crop, {"width": 5}),
        (Crop, {"box": (0, 0, 1, 1), "width": 5, "height": 5}),
        (Watermark, {}),
        (Watermark, {"text": "mine", "image_id": "0" * 32}),
    ],
)
def test_arguments_that_contradict_each_other_are_refused(
    operation: type[Operation], arguments: dict[str, Any]
) -> None:
    with pytest.raises(ValueError, match="needs"):
        operation(**arguments)


def test_every_operation_is_known_by_its_name() -> None:
    assert set(OPERATIONS) == {
        *("blur", "pixelate", "resize", "crop", "rotate", "flip"),
        *("grayscale", "sharpen", "adjust", "watermark", "convert"),
    }
