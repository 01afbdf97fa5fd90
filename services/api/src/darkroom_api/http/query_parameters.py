"""Refusing query parameters that an endpoint does not have, as unknown fields of a body are."""

from functools import cache
from inspect import unwrap
from typing import Any, get_type_hints

from flask import Flask, current_app, request
from flask_openapi import APIBlueprint

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
