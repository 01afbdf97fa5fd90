"""The API's description, and a page that shows it, from files of our own server alone."""

from pathlib import Path
from typing import Any, cast

import flask_openapi_swagger  # type: ignore[import-untyped]  # it ships no types
from flask import Blueprint, current_app, render_template
from flask_openapi import OpenAPI

from darkroom_api.groups.requests import ProcessImages, ProcessImagesForm
from darkroom_api.http.api_keys import ADMIN_SCHEME, SCHEME
from darkroom_api.http.openapi import complete
from darkroom_api.operators.health import METRICS
from darkroom_api.services import services

_WITH_MEMBERS = (ProcessImages.__name__, ProcessImagesForm.__name__)
"""What has a member of which the settings say how large it can be."""

blueprint = Blueprint(
    "docs",
    __name__,
    static_folder=Path(flask_openapi_swagger.__file__).parent / "templates" / "swagger",
    static_url_path="/docs/swagger",
)


@blueprint.get("/openapi.json")
def document() -> dict[str, Any]:
    """The OpenAPI document of this server, which asks for keys only where it has some."""
    settings = services().settings
    api = cast("OpenAPI", current_app).api_doc
    schemes = {SCHEME: SCHEME if settings.api_keys else None}
    schemes[ADMIN_SCHEME] = ADMIN_SCHEME if settings.admin_keys else schemes[SCHEME]
    for path, operations in api["paths"].items():
        for operation in operations.values():
            asked = [schemes[name] for need in operation.pop("security", []) for name in need]
            if any(asked) and not (path == METRICS and settings.open_metrics):
                operation["security"] = [{name: []} for name in asked if name]
    for name in _WITH_MEMBERS:
        member = api["components"]["schemas"][name]["properties"]["keep_for"]
        next(kind for kind in member.get("anyOf", [member]) if "minimum" in kind)["maximum"] = settings.max_keep_for
    complete(api)
    if base := services().paths.base:
        api["servers"] = [{"url": base}]
    return api


@blueprint.get("/docs")
def page() -> str:
    """The document as a page."""
    return render_template("docs.html")
