"""The form of an event stream (HTML standard, section 9.2, server-sent events)."""

import json

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
