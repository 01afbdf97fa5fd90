"""The status of a group: as it is now, and as it changes."""

import time
from collections.abc import Iterator
from contextlib import ExitStack

from darkroom_records.groups import Group
from flask import Response, request
from flask_openapi import APIBlueprint
from pydantic import BaseModel, Field

from darkroom_api.groups.event_stream import EVENT, HEARTBEAT, MEDIA_TYPE, reconnect_after
from darkroom_api.groups.feeds import Feed
from darkroom_api.groups.responses import GroupStatus
from darkroom_api.http.openapi import GROUPS, answers, content
from darkroom_api.http.parameters import GroupPath, TextFlag
from darkroom_api.services import services
from darkroom_api.serving.waiting import about_to_wait

MAX_WAIT = 60
"""Seconds. Proxies commonly end a request that is silent for longer."""
RECONNECT_AFTER = 2.0
"""Seconds that clients whose stream was cut off are asked to wait."""

blueprint = APIBlueprint("status", __name__, abp_tags=[GROUPS])

_STREAM = content("The events", {MEDIA_TYPE: {"schema": EVENT}})
_OVER = {"description": "The group has not changed since the event `end` that was received last. Do not reconnect."}


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


class EventsHeader(BaseModel):
    """Where to go on."""

    last_event_id: str | None = Field(
        None, alias="Last-Event-ID", description="The `id` of the event that was received last."
    )


@blueprint.get(
    "/status/<group_id>",
    operation_id="getStatus",
    responses=answers({200: GroupStatus, 304: {"description": "It has not changed since."}}, 404, 422, 503),
)
def status(path: GroupPath, query: StatusQuery) -> Response:
    """How a group stands."""
    group = _await(path.group_id, query)
    body = GroupStatus.of(group, services().paths, keep_results=services().settings.keep_results, images=query.images)
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
        return services().groups.read(group_id, images=query.images)
    about_to_wait()
    deadline = time.monotonic() + query.wait
    with services().changes.watch(group_id) as watch:
        group = services().groups.read(group_id, images=query.images)
        known = request.if_none_match
        if watch is None or (known and not known.contains(_etag(group, query))):
            return group
        seen = group.version
        while group.version == seen and not group.state.is_final and watch.wait(deadline - time.monotonic()):
            group = services().groups.read(group_id, images=query.images)
        return group


def _etag(group: Group, query: StatusQuery) -> str:
    return f"{group.version}-images" if query.images else str(group.version)


@blueprint.get(
    "/events/<group_id>", operation_id="followEvents", responses=answers({200: _STREAM, 204: _OVER}, 404, 503)
)
def events(path: GroupPath, header: EventsHeader) -> Response:
    """How a group goes, as server-sent events.

    - `status`: what `GET /status/{group_id}` answers. At first with all images, then at each change with those
      `images` alone that have changed since the event before. Changes in quick succession come as one. Its `id` is
      the version of the group; sent as `Last-Event-ID`, it makes the stream go on from there, or begin with all
      images where that is no longer known.
    - `end`: the group has ended; its status without images. The stream closes.
    - `closing`: the server is about to stop, or the group was deleted. The stream closes; connect again.

    A comment is sent when nothing has changed for a while.
    """
    about_to_wait()
    last = header.last_event_id or ""
    with ExitStack() as held:
        feed = held.enter_context(services().feeds.follow(path.group_id))
        if feed.has_ended_for(last):
            return Response(status=204)
        response = Response(_follow(feed, feed.known_to(last), services().settings.stream_heartbeat))
        response.content_type = MEDIA_TYPE
        response.cache_control.no_store = True
        response.headers["X-Accel-Buffering"] = "no"  # nginx would hold events back
        if request.method == "GET":  # whoever asks for the head alone follows nothing
            response.call_on_close(held.pop_all().close)
        return response


def _follow(feed: Feed, known: int | None, heartbeat: float) -> Iterator[bytes]:
    yield reconnect_after(RECONNECT_AFTER)
    is_over = False
    while not is_over:
        if news := feed.wait(known, heartbeat):
            known, is_over = news.version, news.is_last
            yield news.text
        else:
            yield HEARTBEAT
