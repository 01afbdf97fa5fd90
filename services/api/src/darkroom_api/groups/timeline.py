"""Where the time of an image went."""

import time

from flask import Response
from flask_openapi import APIBlueprint

from darkroom_api.groups.responses import Timeline
from darkroom_api.groups.results import unknown_image
from darkroom_api.http.bodies import as_json
from darkroom_api.http.openapi import RESULTS, answers
from darkroom_api.http.parameters import ImagePath
from darkroom_api.services import services

blueprint = APIBlueprint("timeline", __name__, abp_tags=[RESULTS])


@blueprint.get(
    "/images/<group_id>/<int:index>/timeline",
    operation_id="getTimeline",
    responses=answers({200: Timeline}, 404, 503),
)
def timeline(path: ImagePath) -> Response:
    """Where the time of an image went: waiting, and each step of the work on it."""
    progress = services().groups.progress(path.group_id, path.index)
    if progress is None:
        raise unknown_image(path.index)
    response = as_json(Timeline.of(progress, now=time.time()))
    response.cache_control.no_store = True
    return response
