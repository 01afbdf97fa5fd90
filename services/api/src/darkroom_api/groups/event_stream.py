"""The form of an event stream (HTML standard, section 9.2), and how the OpenAPI document describes it."""

import json
from typing import Any

from darkroom_api.groups.responses import GroupStatus

MEDIA_TYPE = "text/event-stream"


def event(name: str, data: str, *, event_id: str | None = None) -> bytes:
    """One event. The data must be a single line."""
    named = f"id: {event_id}\n" if event_id else ""
    return f"event: {name}\n{named}data: {data}\n\n".encode()


def reconnect_after(seconds: float) -> bytes:
    """How long a client is to wait before it connects again."""
    return f"retry: {seconds * 1000:.0f}\n\n".encode()


HEARTBEAT = b": nothing has changed\n\n"
"""A comment, so that nobody on the way takes the connection for dead."""

CLOSING = event("closing", json.dumps({"detail": "This stream ends before its group does. Connect again to go on."}))
"""The last event of a stream whose group has not ended."""


def _event(name: str, description: str, data: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "description": description,
        "required": ["event", "data"],
        "properties": {
            "event": {"const": name},
            "id": {"type": "string"},
            "data": {"type": "string", "contentMediaType": "application/json", "contentSchema": data},
        },
    }


_GROUP = {"$ref": f"#/components/schemas/{GroupStatus.__name__}"}
_CLOSING = {"type": "object", "required": ["detail"], "properties": {"detail": {"type": "string"}}}

EVENT = {
    "oneOf": [
        _event("status", "How the group stands, with those images that changed since the event before.", _GROUP),
        _event("end", "How the group ended, without its images. Nothing follows.", _GROUP),
        _event("closing", "The stream ends before its group. Connect again.", _CLOSING),
    ]
}
