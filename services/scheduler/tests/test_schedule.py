"""What happens when."""

from darkroom_contracts.messages import ROUTINE, SendDueEmails
from darkroom_scheduler.schedule import entries
from darkroom_scheduler.settings import SchedulerSettings


def test_mail_that_is_due_and_with_it_the_newsletter_is_looked_for_every_minute_at_least() -> None:
    schedule = entries(SchedulerSettings())
    intervals = [entry["schedule"].run_every for entry in schedule.values() if entry["task"] == SendDueEmails.name]
    assert [interval.total_seconds() <= 60 for interval in intervals] == [True]


def test_a_search_that_waited_for_longer_than_its_interval_does_not_run() -> None:
    for entry in entries(SchedulerSettings()).values():
        assert entry["options"]["expires"] == entry["schedule"].run_every.total_seconds()


def test_what_is_sent_all_day_is_known_as_routine_and_not_logged_each_time() -> None:
    assert {entry["task"] for entry in entries(SchedulerSettings()).values()} == {message.name for message in ROUTINE}
