"""Pick warnings and errors out of what services print, for a terminal. Needs nothing but Python."""

from __future__ import annotations

import json
import re

_LEVELS = ("warning", "error", "critical")
_DETAILS_LEFT_OUT = ("event", "level", "logger", "timestamp", "service", "exception")
# "2026-11-25 00:32:45 [warning  ] event": DARKROOM_LOG_FORMAT=console
_CONSOLE = re.compile(r"\S+ \S+ \[(?P<level>\w+) *\] ")
# "1:M 25 Nov 2026 00:00:00.000 # Warning": Redis marks what matters with a number sign
_REDIS = re.compile(r"\d+:\w .{20,40} (?P<mark>[.\-*#]) ")


class Troubles:
    """Picks warnings and errors out of the lines of one service.

    Args:
        service: its name, which is put in front of what is shown.
    """

    def __init__(self, service: str) -> None:
        self._service = service
        self._in_trouble = False  # whether the line before was shown: a traceback goes on over many

    def show(self, line: str) -> str | None:
        """Return the line as it is to be shown, or None where it is neither a warning nor an error."""
        entry = _as_object(line)
        if entry is not None:
            self._in_trouble = False
            return f"{self._service}: {_readable(entry)}" if entry.get("level") in _LEVELS else None
        if match := _CONSOLE.match(line):
            self._in_trouble = match["level"] in _LEVELS
        elif match := _REDIS.match(line):
            self._in_trouble = match["mark"] == "#"
        return f"{self._service}: {line}" if self._in_trouble else None


def _as_object(line: str) -> dict[str, object] | None:
    try:
        entry = json.loads(line) if line.startswith("{") else None
    except ValueError:
        return None
    return entry if isinstance(entry, dict) else None


def _readable(entry: dict[str, object]) -> str:
    details = " ".join(f"{name}={value}" for name, value in entry.items() if name not in _DETAILS_LEFT_OUT)
    first = f"{entry['level']}: {entry.get('event')} {details}".rstrip()
    return f"{first}\n{entry['exception']}" if entry.get("exception") else first
