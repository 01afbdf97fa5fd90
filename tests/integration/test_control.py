"""The picture of workers and queues against a real Redis."""

import json
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from darkroom_records import _keys, control
from darkroom_runtime.heartbeat import Heartbeat
from darkroom_runtime.workers import WorkerFacts, heartbeat_key
from redis import Redis

FACTS = WorkerFacts("images@a", ("images", "maintenance"), concurrency=2, active=1, reserved=1, scheduled=3)


def test_without_a_worker_it_says_so(redis: Redis) -> None:
    picture = control.latest(redis)
    assert picture["workers"] == []
    assert picture["totals"]["workers"] == 0
    assert {queue["name"]: queue["consumers"] for queue in picture["queues"]} == {
        "images": 0,
        "mail": 0,
        "maintenance": 0,
    }


def test_it_shows_a_worker_from_its_first_heartbeat_to_its_last(redis: Redis) -> None:
    heartbeat = Heartbeat(redis, "images@a/1", lambda: FACTS)
    heartbeat.start()
    picture = control.refresh(redis)
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
    }
    heartbeat.stop()
    assert control.refresh(redis)["workers"] == []


def test_a_dead_worker_is_not_shown(redis: Redis) -> None:
    heartbeat = Heartbeat(redis, "images@a/1", lambda: FACTS)
    heartbeat.start()
    redis.delete(heartbeat_key("images@a/1"))
    assert control.refresh(redis)["workers"] == []
    heartbeat.stop()


def test_a_picture_serves_everyone_until_it_is_too_old(redis: Redis) -> None:
    first = control.latest(redis)
    assert control.latest(redis) == first
    redis.set(_keys.CONTROL, json.dumps(first | {"as_of": first["as_of"] - control.MAX_AGE - 1}))
    second = control.latest(redis)
    assert second["as_of"] > first["as_of"]


@pytest.mark.parametrize("kept", [None, json.dumps({"as_of": 1.0})])
def test_a_picture_that_is_missing_or_old_is_replaced_by_one_caller_of_all(redis: Redis, kept: str | None) -> None:
    if kept:
        redis.set(_keys.CONTROL, kept)
    with ThreadPoolExecutor(8) as callers:
        seen = {picture["as_of"] for picture in callers.map(control.latest, [redis] * 8)}
    assert len(seen) == 1
    assert seen != {1.0}


def test_a_caller_that_is_gone_before_it_took_the_picture_holds_up_nobody(redis: Redis) -> None:
    redis.set(_keys.CONTROL_TAKEN, "", px=60_000)
    assert control.latest(redis)["as_of"] > time.time() - control.MAX_AGE
