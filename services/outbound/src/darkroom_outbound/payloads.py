"""What a webhook says: a small JSON document. Whoever wants to know more asks for the status."""

import json
from datetime import UTC, datetime
from typing import Any

from darkroom_contracts.states import ImageState, group_state
from darkroom_records.webhooks import Delivery, GroupEnded, ImageEnded


def payload(delivery: Delivery, base: str) -> bytes:
    """The body of a webhook, the same at each attempt.

    Args:
        delivery: the webhook.
        base: what links to the API begin with.
    """
    event = delivery.event
    if isinstance(event, GroupEnded):
        kind, members = "group.ended", _of_group(delivery.group_id, event, base)
    else:
        kind, members = "image.ended", _of_image(delivery.group_id, event, base)
    document = {
        "type": kind,
        "timestamp": datetime.fromtimestamp(delivery.happened_at, UTC).isoformat(),
        "data": {"group_id": delivery.group_id} | members,
    }
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode(errors="replace")


def _of_group(group_id: str, event: GroupEnded, base: str) -> dict[str, Any]:
    counts = event.counts
    return {
        "state": group_state(counts),
        "total": counts.total,
        "completed": counts.succeeded,
        "failed": counts.failed,
        "cancelled": counts.cancelled,
        "expired": counts.expired,
        "status_url": f"{base}/status/{group_id}",
        "archive_url": f"{base}/archive/{group_id}" if counts.succeeded else None,
    }


def _of_image(group_id: str, event: ImageEnded, base: str) -> dict[str, Any]:
    url = f"{base}/images/{group_id}/{event.index}"
    has_result = event.state is ImageState.SUCCEEDED
    members: dict[str, Any] = {
        "index": event.index,
        "name": event.name,
        "state": event.state,
        "error": event.error,
        "code": event.code,
        "url": url if has_result and not event.outputs else None,
    }
    if has_result and event.outputs:
        members["outputs"] = {output: f"{url}?output={output}" for output in event.outputs}
    return members
