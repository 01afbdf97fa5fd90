"""Checking a server: what of it works, from the API to a real image and back."""

import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Literal

from darkroom.client import Client, Item
from darkroom.errors import AccessDeniedError, DarkroomError
from darkroom.pictures import small_png

_PATIENCE = 30.0
_SERVICES = {
    "workers": ("images", "processes images"),
    "maintenance": ("maintenance", "recovers and deletes what has expired"),
    "mail": ("mail", "sends email"),
    "outbound": ("outbound", "fetches URLs and delivers webhooks"),
}


@dataclass(frozen=True, slots=True)
class Check:
    """Something that was checked."""

    name: str
    outcome: Literal["ok", "failed", "unknown"]
    detail: str


def check_server(client: Client) -> Iterator[Check]:
    """Check a server, and yield each check once it is made. After one that all others rest on fails, none follows."""
    for name, ask, detail in (
        ("api", client.alive, f"{client.url} answers"),
        ("redis and storage", client.ready, "take records and files"),
    ):
        try:
            is_well = ask()
        except DarkroomError as error:
            yield Check(name, "failed", str(error))
            return
        yield Check(name, "ok" if is_well else "failed", detail)
    yield from _services(client)
    yield _round_trip(client)


def _services(client: Client) -> Iterator[Check]:
    try:
        control = client.control()
    except AccessDeniedError:
        for name in _SERVICES:
            yield Check(name, "unknown", "only an admin key may see this")
        return
    except DarkroomError as error:
        for name in _SERVICES:
            yield Check(name, "failed", str(error))
        return
    queues = {queue["name"]: queue for queue in control.get("queues", ())}
    for name, (queue, task) in _SERVICES.items():
        yield _service(name, queues.get(queue, {}), task)


def _service(name: str, queue: Mapping[str, Any], task: str) -> Check:
    consumers, length = queue.get("consumers", 0), queue.get("length", 0)
    waiting = f"{length:,} message{' waits' if length == 1 else 's wait'}"
    if not consumers:
        return Check(name, "failed", f"no living worker {task}; {waiting}")
    if queue.get("paused"):
        return Check(name, "failed", f"the queue is paused; {waiting}")
    return Check(name, "ok", f"{consumers:,} worker{' ' if consumers == 1 else 's '}alive; {waiting}")


def _round_trip(client: Client) -> Check:
    began = time.monotonic()
    group_id: str | None = None
    try:
        upload = client.upload(small_png())
        group_id = client.submit(
            [Item(upload, "darkroom-doctor.png")], operations=[{"op": "resize", "width": 32}]
        ).group_id
        group = client.wait(group_id, timeout=_PATIENCE)
        seconds = time.monotonic() - began
        (image,) = group.images
        if image.state != "succeeded":
            return Check("round trip", "failed", image.error or f"the image is {image.state}")
        return Check("round trip", "ok", f"an image was uploaded, processed and described in {seconds:.1f} s")
    except TimeoutError:
        return Check("round trip", "failed", f"an image was not processed within {_PATIENCE:.0f} s")
    except DarkroomError as error:
        return Check("round trip", "failed", str(error))
    finally:
        if group_id:
            with suppress(DarkroomError):
                client.delete(group_id)
