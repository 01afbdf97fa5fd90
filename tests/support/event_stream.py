"""Reading server-sent events, as a browser does."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self, cast

import requests


@dataclass(frozen=True, slots=True)
class Event:
    """One event."""

    name: str
    event_id: str | None
    data: Any


class EventStream:
    """A group's stream, open until the block ends.

    Args:
        url: of the API.
        group_id: the group.
        last_event_id: where to go on.
    """

    def __init__(self, url: str, group_id: str, last_event_id: str | None = None) -> None:
        headers = {"Last-Event-ID": last_event_id} if last_event_id else {}
        self.response = requests.get(f"{url}/events/{group_id}", headers=headers, stream=True, timeout=20)
        self._lines = cast("Iterator[str]", self.response.iter_lines(decode_unicode=True))

    def comment(self) -> str:
        """The next comment; whatever comes before it is skipped."""
        return next(line for line in self._lines if line.startswith(":"))

    def next(self) -> Event:
        """The next event."""
        return next(iter(self))

    def __iter__(self) -> Iterator[Event]:
        """The events from here on, until the stream ends."""
        fields: dict[str, str] = {}
        for line in self._lines:
            name, _, value = line.partition(": ")
            if name:
                fields[name] = value
            elif "data" in fields:
                yield Event(fields["event"], fields.get("id"), json.loads(fields["data"]))
                fields = {}
            else:
                fields = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.response.close()
