"""What was done in a week: counted by the group store's own steps, reported by the newsletter.

A week is one of ISO 8601, from Monday 0:00 UTC. Its statistics are kept for eight weeks. An image that fails, is tried
again and fails again counts as two failures.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import cast

from redis import Redis

from darkroom_records import _keys as keys

_WEEK_ZERO = date(1969, 12, 29)
"""The Monday of the week that held 1 January 1970."""


@dataclass(frozen=True, slots=True)
class Statistics:
    """What was counted in a week: groups taken in, images that have a result, images that failed."""

    groups: int = 0
    images: int = 0
    failures: int = 0


def week_number(day: date) -> int:
    """The number of the week that holds this day, counted from the one that held 1 January 1970."""
    year, week, _ = day.isocalendar()
    return (date.fromisocalendar(year, week, 1) - _WEEK_ZERO).days // 7


def this_week() -> int:
    """The number of the current week."""
    return week_number(datetime.now(UTC))


class StatisticsStore:
    """Reads what was counted. Safe to share between threads."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    def read(self, week: int) -> Statistics:
        """The statistics of the week of this number."""
        counted = cast("dict[str, str]", self._redis.hgetall(keys.statistics(week)))
        return Statistics(**{name: int(number) for name, number in counted.items()})
