"""How a group goes, as it happens."""

from collections.abc import Iterator
from contextlib import ExitStack

from flask import Response, request
from flask_openapi import APIBlueprint, Tag
from pydantic import BaseModel, Field

from darkroom_api import extensions
from darkroom_api.groups.event_schema import EVENT
from darkroom_api.groups.feed import Feed
from darkroom_api.groups.parameters import GroupPath
from darkroom_api.groups.server_sent import HEARTBEAT, MEDIA_TYPE, reconnect_after
from darkroom_api.http.openapi import answers, content
from darkroom_api.serving.waiting import about_to_wait

RECONNECT_AFTER = 2.0
"""Seconds that clients whose stream was cut off are asked to wait."""

blueprint = APIBlueprint("events", __name__, abp_tags=[Tag(name="groups", description="Batches of images")])

_STREAM = content("The events", {MEDIA_TYPE: {"schema": EVENT}})
_OVER = {"description": "The group has not changed since the event `end` that was received last. Do not come again."}


class EventsHeader(BaseModel):
    """Where to go on."""

    last_event_id: str | None = Field(
        None, alias="Last-Event-ID", description="The `id` of the event that was received last."
    )


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
        feed = held.enter_context(extensions.feeds().follow(path.group_id))
        if feed.has_ended_for(last):
            return Response(status=204)
        response = Response(_follow(feed, feed.known_to(last), extensions.settings().stream_heartbeat))
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
