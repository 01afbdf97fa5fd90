"""The API's description, and a page that shows it, from files of our own server alone."""

from copy import deepcopy
from pathlib import Path
from typing import Any, cast

import flask_openapi_swagger  # type: ignore[import-untyped]  # it ships no types
from darkroom_imaging.operations import OUTPUT_NAME
from flask import Blueprint, current_app, render_template
from flask_openapi import OpenAPI

from darkroom_api.groups.requests import PRESET_RULE, WEBHOOK_RULE, ProcessImages, ProcessImagesForm
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
    api = deepcopy(cast("OpenAPI", current_app).api_doc)  # its schemas are those of all applications of the process
    schemes = {SCHEME: SCHEME if settings.api_keys else None}
    schemes[ADMIN_SCHEME] = ADMIN_SCHEME if settings.admin_keys else schemes[SCHEME]
    for path, operations in api["paths"].items():
        for operation in operations.values():
            asked = [schemes[name] for need in operation.pop("security", []) for name in need]
            if any(asked) and not (path == METRICS and settings.open_metrics):
                operation["security"] = [{name: []} for name in asked if name]
    for name in _WITH_MEMBERS:
        _limit_members(api["components"]["schemas"][name])
    complete(api)
    if base := services().paths.base:
        api["servers"] = [{"url": base}]
    return api


def _limit_members(schema: dict[str, Any]) -> None:
    """Say what this server takes by its settings, and how outputs may be named."""
    members = schema["properties"]
    _kind(members["outputs"], "object")["propertyNames"] = {"pattern": OUTPUT_NAME}
    _kind(members["keep_for"], "integer")["maximum"] = services().settings.max_keep_for
    if presets := services().presets.presets:
        _kind(members["preset"], "string")["enum"] = list(presets)
        schema["allOf"].append(PRESET_RULE)
    else:
        del members["preset"]
    if services().settings.webhook_secret:
        schema["allOf"].append(WEBHOOK_RULE)
    else:
        del members["webhook_url"], members["webhook_events"]


def _kind(member: dict[str, Any], name: str) -> dict[str, Any]:
    """The schema of this type among those that a member can have."""
    return next(kind for kind in member.get("anyOf", [member]) if kind.get("type") == name)


@blueprint.get("/docs")
def page() -> str:
    """The document as a page."""
    return render_template("docs.html")
