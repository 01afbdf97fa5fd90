"""The events of a stream, as the OpenAPI document describes them: by the schema of each event, since version 3.1 of
OpenAPI has no words for a sequence of them."""

from typing import Any

from darkroom_api.groups.responses import GroupStatus


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
