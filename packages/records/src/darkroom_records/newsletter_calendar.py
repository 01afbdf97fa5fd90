"""When the newsletter appears: every Monday at 12:00, in the time zone of whoever runs this."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from darkroom_runtime.settings import Settings
from pydantic import Field, field_validator

from darkroom_records.statistics import week_number

HOUR = 12


class CalendarSettings(Settings):
    """Settings of a process that knows what time it is for people."""

    time_zone: str = Field("UTC", description="The time zone of the newsletter's Monday, such as Europe/Berlin.")

    @field_validator("time_zone")
    @classmethod
    def _must_be_known(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError):
            raise ValueError("there is no time zone of this name; one is Europe/Berlin") from None
        return name


@dataclass(frozen=True, slots=True)
class Issue:
    """An issue of the newsletter, named by the ISO year and week in which it appears, such as ``2026-W47``."""

    name: str

    @property
    def reported_week(self) -> int:
        """The number of the week whose statistics it carries: the one before its own."""
        year, week = self.name.split("-W")
        return week_number(date.fromisocalendar(int(year), int(week), 1)) - 1


def latest_issue(now: datetime) -> Issue:
    """The newest issue that has appeared by then, given a time in the time zone of the newsletter."""
    year, week, _ = (now - timedelta(hours=HOUR)).isocalendar()
    return Issue(f"{year}-W{week:02}")
