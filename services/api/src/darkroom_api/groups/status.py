"""How a group stands."""

import time

from darkroom_records.groups import Group
from flask import Response, request
from flask_openapi import APIBlueprint, Tag
from pydantic import BaseModel, Field

from darkroom_api import extensions
from darkroom_api.groups.parameters import GroupPath
from darkroom_api.groups.responses import GroupStatus
from darkroom_api.http.flag import TextFlag
from darkroom_api.http.openapi import answers
from darkroom_api.serving.waiting import about_to_wait

MAX_WAIT = 60
"""Seconds. Proxies commonly end a request that is silent for longer."""

blueprint = APIBlueprint("status", __name__, abp_tags=[Tag(name="groups", description="Batches of images")])


class StatusQuery(BaseModel):
    """What of the status, and when."""

    images: TextFlag = Field(True, description="Whether to list the images.")
    wait: int = Field(
        0,
        ge=0,
        le=MAX_WAIT,
        description="Answer as soon as something changed (against `If-None-Match`, if it is given), at most so many "
        "seconds later. A busy server may answer at once.",
    )


@blueprint.get(
    "/status/<group_id>",
    operation_id="getStatus",
    responses=answers({200: GroupStatus, 304: {"description": "It has not changed since."}}, 404, 422, 503),
)
def status(path: GroupPath, query: StatusQuery) -> Response:
    """How a group stands."""
    group = _await(path.group_id, query)
    body = GroupStatus.of(group, images=query.images)
    response = Response(
        body.model_dump_json(exclude=None if query.images else {"images"}), content_type="application/json"
    )
    response.set_etag(_etag(group, query))
    response.cache_control.private = True
    response.cache_control.no_cache = True
    response.make_conditional(request)
    return response


def _await(group_id: str, query: StatusQuery) -> Group:
    """The group, once it has changed or the time is up. Two round trips to Redis, a third where it reconnected."""
    if not query.wait:
        return extensions.groups().read(group_id, images=query.images)
    about_to_wait()
    deadline = time.monotonic() + query.wait
    with extensions.changes().watch(group_id) as watch:
        group = extensions.groups().read(group_id, images=query.images)
        known = request.if_none_match
        if watch is None or (known and not known.contains(_etag(group, query))):
            return group
        seen = group.version
        while group.version == seen and not group.state.is_final and watch.wait(deadline - time.monotonic()):
            group = extensions.groups().read(group_id, images=query.images)
        return group


def _etag(group: Group, query: StatusQuery) -> str:
    return f"{group.version}-images" if query.images else str(group.version)
