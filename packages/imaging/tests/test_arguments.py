"""No number, whatever it is, makes an operation fail in another way than by a sentence that says what is wrong."""

from contextlib import suppress
from typing import Any

import pytest
from darkroom_imaging.engine import process
from darkroom_imaging.errors import BadOperationError, ImageError, ImageTooLargeError, ResultTooLargeError
from darkroom_imaging.limits import Limits
from darkroom_imaging.operations import OPERATIONS, Convert, Crop, read_pipeline
from PIL import Image
from support.pictures import encode, photograph

ABSURD: tuple[Any, ...] = (
    float("nan"),
    float("inf"),
    float("-inf"),
    1e308,
    -1e308,
    1e7,
    10**400,
    -(10**400),
    True,
    "5",
    [],
    (),
)
NARROW: tuple[Any, ...] = (0, -0.0, 5e-324, -5e-324, 1e-300, 0.5, 1, 2.0, 16_384, 999_999.5)
NEEDED: dict[str, dict[str, Any]] = {
    "resize": {"width": 5},
    "crop": {"width": 5, "height": 5},
    "rotate": {"angle": 3},
    "watermark": {"text": "x"},
    "convert": {"format": "png"},
}
"""What an operation is not one without."""


def numbers() -> list[tuple[str, str]]:
    """Each operation with each of its arguments that is a number."""
    return [
        (name, argument)
        for name, operation in OPERATIONS.items()
        for argument, schema in operation.model_json_schema()["properties"].items()
        if "number" in str(schema) or "integer" in str(schema)
        if "array" not in str(schema)
    ]


@pytest.mark.parametrize(("operation", "argument"), numbers())
@pytest.mark.parametrize("number", ABSURD, ids=lambda number: repr(number)[:12])
def test_an_absurd_number_is_refused(operation: str, argument: str, number: Any) -> None:
    if (argument, number) == ("max_bytes", 1e7):
        pytest.skip("ten megabytes are a size that a file may well have")
    with pytest.raises(BadOperationError, match=rf"^operations\[0\].{argument}"):
        read_pipeline([{"op": operation} | NEEDED.get(operation, {}) | {argument: number}])


@pytest.mark.parametrize("number", ABSURD, ids=lambda number: repr(number)[:12])
@pytest.mark.parametrize("place", range(4))
@pytest.mark.parametrize(("operation", "argument"), [("crop", "box"), ("blur", "regions"), ("pixelate", "regions")])
def test_an_absurd_region_is_refused(operation: str, argument: str, place: int, number: Any) -> None:
    region: list[Any] = [0, 0, 5, 5]
    region[place] = number
    with pytest.raises(BadOperationError, match=rf"^operations\[0\].{argument}"):
        read_pipeline([{"op": operation, argument: region if argument == "box" else [region]}])


@pytest.mark.parametrize(("operation", "argument"), numbers())
@pytest.mark.parametrize("number", NARROW)
def test_numbers_that_are_hardly_any_give_a_result_or_a_sentence(operation: str, argument: str, number: Any) -> None:
    asked = {"op": operation} | NEEDED.get(operation, {}) | {argument: number}
    for size in ((40, 30), (1, 1)):
        for form in ("PNG", "JPEG"):
            with suppress(BadOperationError, ImageTooLargeError, ResultTooLargeError):
                process(encode(photograph(*size), form), read_pipeline([asked]), limits=Limits(max_pixels=10**6))


def test_a_region_may_reach_far_beyond_the_image() -> None:
    result = process(encode(photograph(40, 30), "PNG"), (Crop(box=(-999_000, 10, 999_007, 1_000_000)),))
    assert (result.width, result.height) == (7, 20)


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        ({"op": "blur", "regions": [[1, 2, 3]]}, "operations[0].regions[0][3]: is missing."),
        ({"op": "resize", "width": 5.5}, "operations[0].width: must be a whole number."),
        ({"op": "resize", "width": 5, "enlarge": 1}, "operations[0].enlarge: must be true or false."),
        ({"op": "crop", "box": [0, 0, 1e9, 1]}, "operations[0].box[2]: must be at most 1,000,000."),
        ({"op": "resize"}, "operations[0]: resize needs a width, a height, or both."),
        ({"op": "blur", "radius": 0}, "operations[0].radius: must be greater than 0."),
        ({"op": "blur", "radius": 251}, "operations[0].radius: must be at most 250."),
        ({"op": "blur", "radius": float("nan")}, "operations[0].radius: must be a finite number."),
        ({"op": "blur", "regions": []}, "operations[0].regions: needs at least 1 item."),
        ({"op": "blur", "regions": [[0, 0, 9, 9]] * 101}, "operations[0].regions: can have at most 100 items."),
        ({"op": "pixelate", "size": 1}, "operations[0].size: must be at least 2."),
        (
            {"op": "sparkle"},
            f"operations[0]: unknown operation 'sparkle'; expected one of {', '.join(map(repr, OPERATIONS))}.",
        ),
    ],
)
def test_arguments_of_a_wrong_kind_are_named(asked: dict[str, Any], sentence: str) -> None:
    with pytest.raises(BadOperationError) as refusal:
        read_pipeline([asked])
    assert str(refusal.value) == sentence


def test_a_colour_with_something_behind_it_is_none() -> None:
    with pytest.raises(BadOperationError, match="background"):
        read_pipeline([{"op": "rotate", "angle": 3, "background": "#ffffff\n"}])


@pytest.mark.parametrize(
    ("name", "side", "sentence"),
    [
        ("webp", 16_384, "WebP allows at most 16,383 px per side."),
        ("jpeg", 65_501, "JPEG allows at most 65,500 px per side."),
        ("avif", 32_769, "AVIF allows at most 32,768 px per side."),
        ("gif", 65_536, "GIF allows at most 65,535 px per side."),
    ],
)
def test_a_side_that_a_format_has_no_room_for_is_refused_and_the_largest_that_fits_is_not(
    name: Any, side: int, sentence: str
) -> None:
    convert, limits = Convert(format=name), Limits(max_side=100_000)
    for size in ((side, 1), (1, side)):
        with pytest.raises(ImageError) as refusal:
            process(encode(Image.new("RGB", size), "PNG"), (convert,), limits=limits)
        assert str(refusal.value) == f"The result measures {size[0]} × {size[1]} pixels; {sentence}"
        fits = size[0] - (size[0] > 1), size[1] - (size[1] > 1)
        result = process(encode(Image.new("RGB", fits), "PNG"), (convert,), limits=limits)
        assert (result.width, result.height) == fits
