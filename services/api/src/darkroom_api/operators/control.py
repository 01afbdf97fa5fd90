"""How workers and queues stand."""

from darkroom_records import control as pictures
from flask import Response
from flask_openapi3 import APIBlueprint, Tag

from darkroom_api import extensions
from darkroom_api.http.answers import as_json
from darkroom_api.http.openapi import answers
from darkroom_api.operators.control_schema import Control

blueprint = APIBlueprint("control", __name__, abp_tags=[Tag(name="operation", description="For monitors")])


@blueprint.get("/control", responses=answers({200: Control}, 503))
def control() -> Response:
    """Workers and queues, in a picture that is taken at most every ten seconds and asks nothing of any worker."""
    response = as_json(Control.of(pictures.latest(extensions.redis())))
    response.cache_control.no_store = True
    return response
