"""What the scheduler does when the clock was put back: what it sent in an hour that is yet to come holds nothing up."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from darkroom_runtime.celery_config import make_celery
from darkroom_runtime.settings import load
from darkroom_scheduler.config import celery_config
from darkroom_scheduler.schedule import entries
from darkroom_scheduler.settings import SchedulerSettings
from darkroom_scheduler.ticks import Scheduler
from redis import Redis


@pytest.fixture
def scheduler(redis: Redis, redis_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scheduler]:
    """A scheduler that needs no lock, since there is no other."""
    assert redis.ping()
    monkeypatch.setenv("DARKROOM_REDIS_URL", redis_url)
    settings = load(SchedulerSettings)
    app = make_celery("scheduler", celery_config(settings) | {"beat_schedule": entries(settings)})
    scheduler = Scheduler(app)
    scheduler.lock_key = None
    yield scheduler
    scheduler.close()


def all_entries(scheduler: Scheduler) -> list[Any]:
    """Its entries as they are written down."""
    names = scheduler.app.redbeat_conf.schedule
    return [
        scheduler.Entry.from_key(scheduler.Entry.generate_key(scheduler.app, name), scheduler.app) for name in names
    ]


def latest_due(scheduler: Scheduler) -> float:
    """How many seconds beyond its interval the last of the entries is due in."""

    def seconds_late(entry: Any) -> float:
        due: float = entry.due_at.timestamp()
        interval: float = entry.schedule.run_every.total_seconds()
        return due - time.time() - interval

    return max(map(seconds_late, all_entries(scheduler)))


def test_what_was_sent_in_the_future_before_this_start_is_sent_again_from_now_on(scheduler: Scheduler) -> None:
    send_all_in(scheduler, hours=1)
    scheduler.tick()
    assert latest_due(scheduler) < 1


def test_what_was_sent_before_the_clock_was_put_back_is_sent_again_from_now_on(scheduler: Scheduler) -> None:
    scheduler.tick()
    send_all_in(scheduler, hours=1)
    scheduler._clock += 3600  # as the clock was at the tick before
    scheduler.tick()
    assert latest_due(scheduler) < 1


def send_all_in(scheduler: Scheduler, *, hours: int) -> None:
    """Note that everything was sent at a time that is yet to come."""
    for entry in all_entries(scheduler):
        entry.reschedule(datetime.now(UTC) + timedelta(hours=hours))
    assert latest_due(scheduler) > 3500
