"""The picture of workers and queues against a real Redis."""

import json
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from darkroom_records.control import MAX_AGE, ControlStore
from darkroom_runtime.heartbeat import Heartbeat
from darkroom_runtime.workers import WorkerFacts, heartbeat_key
from redis import Redis
from support.redis_keys import CONTROL, CONTROL_TAKEN

FACTS = WorkerFacts("images@a", ("images", "maintenance"), concurrency=2, active=1, reserved=1, scheduled=3)


@pytest.fixture
def control(redis: Redis) -> ControlStore:
    return ControlStore(redis)


def test_without_a_worker_it_says_so(control: ControlStore) -> None:
    picture = control.latest()
    assert picture["workers"] == []
    assert picture["totals"]["workers"] == 0
    assert {queue["name"]: queue["consumers"] for queue in picture["queues"]} == {
        "images": 0,
        "mail": 0,
        "maintenance": 0,
        "outbound": 0,
    }


def test_it_shows_a_worker_from_its_first_heartbeat_to_its_last(control: ControlStore, redis: Redis) -> None:
    heartbeat = Heartbeat(redis, "images@a/1", lambda: FACTS)
    heartbeat.start()
    picture = control.refresh()
    assert picture["workers"][0]["name"] == "images@a"
    assert picture["totals"] | {"waiting": 0} == {
        "workers": 1,
        "concurrency": 2,
        "active": 1,
        "reserved": 1,
        "scheduled": 3,
        "waiting": 0,
        "running_groups": 0,
    }
    assert {queue["name"]: queue["consumers"] for queue in picture["queues"]} == {
        "images": 1,
        "mail": 0,
        "maintenance": 1,
        "outbound": 0,
    }
    heartbeat.stop()
    assert control.refresh()["workers"] == []


def test_a_dead_worker_is_not_shown(control: ControlStore, redis: Redis) -> None:
    heartbeat = Heartbeat(redis, "images@a/1", lambda: FACTS)
    heartbeat.start()
    redis.delete(heartbeat_key("images@a/1"))
    assert control.refresh()["workers"] == []
    heartbeat.stop()


def test_a_picture_serves_everyone_until_it_is_too_old(control: ControlStore, redis: Redis) -> None:
    first = control.latest()
    assert control.latest() == first
    redis.set(CONTROL, json.dumps(first | {"as_of": first["as_of"] - MAX_AGE - 1}))
    second = control.latest()
    assert second["as_of"] > first["as_of"]


@pytest.mark.parametrize("kept", [None, json.dumps({"as_of": 1.0})])
def test_a_picture_that_is_missing_or_old_is_replaced_by_one_caller_of_all(
    control: ControlStore, redis: Redis, kept: str | None
) -> None:
    if kept:
        redis.set(CONTROL, kept)
    with ThreadPoolExecutor(8) as callers:
        seen = {picture["as_of"] for picture in callers.map(lambda _: control.latest(), range(8))}
    assert len(seen) == 1
    assert seen != {1.0}


def test_a_caller_that_is_gone_before_it_took_the_picture_holds_up_nobody(control: ControlStore, redis: Redis) -> None:
    redis.set(CONTROL_TAKEN, "", px=60_000)
    assert control.latest()["as_of"] > time.time() - MAX_AGE
