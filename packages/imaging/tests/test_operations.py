"""One definition of each operation: what is taken, what is refused, how it is written down and documented."""

import json
from typing import Any

import pytest
from darkroom_imaging.errors import BadOperationError
from darkroom_imaging.operations import (
    OPERATIONS,
    Blur,
    Convert,
    Crop,
    Operation,
    Resize,
    Watermark,
    read_pipeline,
    write_pipeline,
)


def travelled(*pipeline: Operation) -> tuple[Operation, ...]:
    return read_pipeline(json.loads(json.dumps(write_pipeline(pipeline))))


def test_a_pipeline_survives_its_journey() -> None:
    pipeline = (Blur(radius=2.5, regions=((0, 0, 0.5, 0.5), (1, 2, 30, 40))), Resize(width=10), Convert(format="webp"))
    assert travelled(*pipeline) == pipeline


def test_what_is_written_down_says_what_was_done_without_knowing_the_defaults() -> None:
    assert write_pipeline([Blur(), Resize(width=10)]) == [
        {"op": "blur", "radius": 5.0, "regions": None},
        {"op": "resize", "width": 10, "height": None, "fit": "inside", "enlarge": False},
    ]


def test_a_pipeline_written_without_its_defaults_is_read_as_well() -> None:
    assert read_pipeline([{"op": "blur"}, {"op": "resize", "width": 10}]) == (Blur(), Resize(width=10))


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
    assert list(read_pipeline([asked])) == [meant]


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
        {"op": "watermark", "text": "mine", "image_id": "0" * 32},
        {"op": "crop", "box": [1e308, 0, 1e308, 1e308]},
        {"op": "blur", "regions": [[0, 0, -1e9, 1]]},
        {"op": "resize", "width": 10**400},
        "blur",
        None,
    ],
)
def test_what_is_no_operation_is_refused(asked: Any) -> None:
    with pytest.raises(BadOperationError):
        read_pipeline([asked])


def test_a_pipeline_has_at_most_twenty_operations() -> None:
    assert len(read_pipeline([{"op": "grayscale"}] * 20)) == 20
    with pytest.raises(BadOperationError, match="20"):
        read_pipeline([{"op": "grayscale"}] * 21)


def test_limits_and_descriptions_reach_the_document() -> None:
    schema = Blur.model_json_schema()
    radius = schema["properties"]["radius"]
    assert (radius["exclusiveMinimum"], radius["maximum"], radius["default"]) == (0, 250, 5.0)
    assert radius["description"]
    assert schema["required"] == ["op"]


def test_every_operation_is_known_by_its_name() -> None:
    assert set(OPERATIONS) == {
        *("blur", "pixelate", "resize", "crop", "rotate", "flip"),
        *("grayscale", "sharpen", "adjust", "watermark", "convert"),
    }
