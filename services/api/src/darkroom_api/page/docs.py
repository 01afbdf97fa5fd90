"""The API's description, and a page that shows it, from files of our own server alone."""

from pathlib import Path
from typing import Any, cast

import flask_openapi3_swagger  # type: ignore[import-untyped]  # it ships no types
from flask import Blueprint, current_app, render_template
from flask_openapi3 import OpenAPI

from darkroom_api import extensions

blueprint = Blueprint(
    "docs",
    __name__,
    static_folder=Path(flask_openapi3_swagger.__file__).parent / "templates" / "swagger",
    static_url_path="/docs/swagger",
)


@blueprint.get("/openapi.json")
def document() -> dict[str, Any]:
    """The OpenAPI document of this server, which asks for keys only where it has some."""
    api = cast("OpenAPI", current_app).api_doc
    if not extensions.settings().api_keys:
        for path in api["paths"].values():
            for operation in path.values():
                operation.pop("security", None)
    return api


@blueprint.get("/docs")
def page() -> str:
    """The document as a page."""
    return render_template("docs.html")
