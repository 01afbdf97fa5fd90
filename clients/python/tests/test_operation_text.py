"""Operations as they are written on a command line."""

from typing import Any

import pytest
from darkroom.operation_text import format_operation, parse_operation, parse_output


@pytest.mark.parametrize(
    ("text", "operation"),
    [
        ("grayscale", {"op": "grayscale"}),
        ("resize:width=1200,fit=cover", {"op": "resize", "width": 1200, "fit": "cover"}),
        ("blur:radius=2.5,regions=[[0,0,9,9],[5,5,1,1]]",
         {"op": "blur", "radius": 2.5, "regions": [[0, 0, 9, 9], [5, 5, 1, 1]]}),
        ('watermark:text="a, \\"b\\"",opacity=0.3', {"op": "watermark", "text": 'a, "b"', "opacity": 0.3}),
        ("rotate:angle=90,background=#ff0000", {"op": "rotate", "angle": 90, "background": "#ff0000"}),
        ("resize:width=10,enlarge=true", {"op": "resize", "width": 10, "enlarge": True}),
        ('{"op": "flip", "direction": "vertical"}', {"op": "flip", "direction": "vertical"}),
    ],
)  # fmt: skip
def test_an_operation_can_be_written_in_a_few_letters(text: str, operation: dict[str, Any]) -> None:
    assert parse_operation(text) == operation
    assert parse_operation(format_operation(operation)) == operation


@pytest.mark.parametrize("text", ["", "resize width=3", "resize:width", "resize:width=1,width=2", '{"width": 3}', "{"])
def test_what_is_no_operation_is_refused_with_a_sentence(text: str) -> None:
    with pytest.raises(ValueError, match=r"\.$"):
        parse_operation(text)


def test_an_output_has_a_name_and_an_operation_or_none() -> None:
    assert parse_output("thumb=resize:width=200") == ("thumb", {"op": "resize", "width": 200})
    assert parse_output("full=") == ("full", None)
    with pytest.raises(ValueError, match="not an output"):
        parse_output("resize:width=200")
