"""Numbers as JSON has them."""

from typing import Annotated, Any

from pydantic import BeforeValidator


def _whole(number: Any) -> Any:
    return int(number) if isinstance(number, float) and number.is_integer() else number


Integer = Annotated[int, BeforeValidator(_whole)]
"""As JSON Schema has it: 5.0 is an integer, too."""
