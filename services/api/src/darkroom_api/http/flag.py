"""True or false, also where it comes as text."""

from typing import Annotated, Any, TypeAlias

from pydantic import BeforeValidator, Field


def true_or_false(value: Any) -> Any:
    """What a text means that says so; anything else stays as it is, for its validation to refuse."""
    return {"true": True, "false": False}.get(value, value) if isinstance(value, str) else value


TextFlag: TypeAlias = Annotated[bool, BeforeValidator(true_or_false), Field(strict=True)]
"""``true`` or ``false``, as an address or a form carries it."""
