"""What was done in a week: counted by the group store's own steps, reported by the newsletter.

Weeks begin on Mondays at 0:00 UTC and are numbered from the one that held 1 January 1970, which is 0. A week's figures
are kept for eight weeks. An image that fails, is tried again and fails again counts as two failures.
"""

import time
from dataclasses import dataclass
from typing import cast

from redis import Redis

from darkroom_records import _keys as keys

_WEEKDAY_OF_DAY_ZERO = 3
"""1 January 1970 was a Thursday, and Mondays are 0."""


@dataclass(frozen=True, slots=True)
class Figures:
    """What was counted in a week: groups taken in, images that have a result, images that failed."""

    groups: int = 0
    images: int = 0
    failures: int = 0


def this_week() -> int:
    """The number of the week that it is."""
    return int(time.time() / 86_400 + _WEEKDAY_OF_DAY_ZERO) // 7


def read_figures(redis: Redis, week: int) -> Figures:
    """The figures of the week of this number."""
    counted = cast("dict[str, str]", redis.hgetall(keys.figures(week)))
    return Figures(**{name: int(number) for name, number in counted.items()})
