"""How workers and queues stand."""

from darkroom_records import control as pictures
from flask import Response
from flask_openapi import APIBlueprint, Tag

from darkroom_api import extensions
from darkroom_api.http.answers import as_json
from darkroom_api.http.api_keys import asks_for_admin_key
from darkroom_api.http.openapi import NEEDS_ADMIN_KEY, answers
from darkroom_api.operators.control_schema import Control

blueprint = APIBlueprint("control", __name__, abp_tags=[Tag(name="operation", description="For monitors")])


@blueprint.get(
    "/control", operation_id="getControl", security=NEEDS_ADMIN_KEY, responses=answers({200: Control}, 401, 503)
)
@asks_for_admin_key
def control() -> Response:
    """Workers and queues, in a picture that is taken at most every ten seconds and asks nothing of any worker."""
    response = as_json(Control.of(pictures.latest(extensions.redis())))
    response.cache_control.no_store = True
    return response
