"""Server-sent events (HTML standard, section 9.2), as far as a group's stream needs them."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RawEvent:
    """One event, as it was sent."""

    name: str
    event_id: str | None
    data: str


@dataclass(slots=True)
class Reconnection:
    """What a stream says about connecting again."""

    delay: float = 2.0


def parse(lines: Iterable[bytes], reconnection: Reconnection) -> Iterator[RawEvent]:
    """Yield the events in these lines. One that was cut off is left out.

    Args:
        lines: of the stream, without their ends.
        reconnection: is told how long to wait before connecting again.
    """
    name, event_id, data = "message", None, list[str]()
    for raw in lines:
        line = raw.decode(errors="replace")
        if not line:
            if data:
                yield RawEvent(name, event_id, "\n".join(data))
            name, event_id, data = "message", None, []
            continue
        key, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if key == "event":
            name = value
        elif key == "id":
            event_id = value
        elif key == "data":
            data.append(value)
        elif key == "retry" and value.isdigit():
            reconnection.delay = int(value) / 1000
