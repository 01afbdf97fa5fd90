"""What addresses carry: the parameters of paths and queries."""

from functools import cache  # noqa: TID251 - of plain values
from inspect import unwrap
from typing import Annotated, Any, TypeAlias, get_type_hints

from darkroom_contracts.ids import is_group_id
from flask import Flask, current_app, request
from flask_openapi import APIBlueprint
from pydantic import AfterValidator, BaseModel, BeforeValidator, Field

from darkroom_api.http.problems import unknown_group
from darkroom_api.http.validation import problem_of

_FOR_PEOPLE = "mail_links"
"""Its addresses are opened from emails, whose programs add parameters of their own to links."""


def init_query_parameters(app: Flask) -> None:
    """Check the query of every request to a documented endpoint."""
    app.before_request(_check)


def _check() -> None:
    if not request.args or not _is_documented(request.blueprint):
        return
    known = _parameters(unwrap(current_app.view_functions[request.endpoint or ""]))
    mistakes = [(name, "unknown query parameter") for name in request.args if name not in known]
    mistakes += [(name, "is given more than once") for name in known if len(request.args.getlist(name)) > 1]
    if mistakes:
        raise problem_of(mistakes)


def _is_documented(blueprint: str | None) -> bool:
    return blueprint != _FOR_PEOPLE and isinstance(current_app.blueprints.get(blueprint or ""), APIBlueprint)


@cache
def _parameters(view: Any) -> tuple[str, ...]:
    model = get_type_hints(view).get("query")
    return tuple(model.model_fields) if model else ()


def true_or_false(value: Any) -> Any:
    """What a text means that says so; anything else stays as it is, for its validation to refuse."""
    return {"true": True, "false": False}.get(value, value) if isinstance(value, str) else value


TextFlag: TypeAlias = Annotated[bool, BeforeValidator(true_or_false), Field(strict=True)]
"""``true`` or ``false``, as an address or a form carries it."""


def _of_right_form(text: str) -> str:
    if not is_group_id(text):
        raise unknown_group()
    return text


GroupId = Annotated[str, AfterValidator(_of_right_form), Field(json_schema_extra={"pattern": "^[0-9a-f]{32}$"})]


class GroupPath(BaseModel):
    """A group."""

    group_id: GroupId


class ImagePath(GroupPath):
    """An image of a group."""

    index: int = Field(ge=0)
