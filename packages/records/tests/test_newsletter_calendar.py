"""Which issue of the newsletter is the newest, at any time and in any place."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from darkroom_records.newsletter_calendar import CalendarSettings, Issue, latest_issue
from darkroom_records.statistics import week_number
from pydantic import ValidationError


@pytest.mark.parametrize(
    ("now", "issue"),
    [
        ("2026-11-16T11:59:59", "2026-W46"),
        ("2026-11-16T12:00:00", "2026-W47"),
        ("2026-11-22T23:59:59", "2026-W47"),
        ("2026-11-23T00:00:00", "2026-W47"),
        ("2026-12-28T12:00:00", "2026-W53"),
        ("2027-01-01T00:00:00", "2026-W53"),
        ("2027-01-04T12:00:00", "2027-W01"),
    ],
)
def test_an_issue_appears_on_monday_at_noon(now: str, issue: str) -> None:
    assert latest_issue(datetime.fromisoformat(now)).name == issue


def test_noon_is_where_the_newsletter_lives() -> None:
    moment = datetime(2026, 11, 16, 11, 30, tzinfo=UTC)
    assert latest_issue(moment).name == "2026-W46"
    assert latest_issue(moment.astimezone(ZoneInfo("Europe/Berlin"))).name == "2026-W47"


def test_an_issue_reports_the_week_before_its_own() -> None:
    monday = date(2026, 11, 16)
    weeks_since_1970 = (monday - timedelta(days=7) - date(1969, 12, 29)).days // 7
    assert Issue("2026-W47").reported_week == weeks_since_1970
    assert Issue("2027-W01").reported_week == Issue("2026-W53").reported_week + 1


def test_an_unknown_time_zone_is_refused_with_a_sentence() -> None:
    with pytest.raises(ValidationError, match="no time zone of this name"):
        CalendarSettings(time_zone="Europe/Atlantis")


@pytest.mark.parametrize("day", ["1970-01-01", "2020-12-31", "2021-01-03", "2021-01-04", "2026-11-25", "2027-01-01"])
def test_weeks_are_counted_from_the_one_of_1_january_1970(day: str) -> None:
    since = date.fromisoformat(day) - date(1969, 12, 29)
    assert week_number(date.fromisoformat(day)) == since.days // 7
