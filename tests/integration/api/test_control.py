"""How workers and queues stand, as the API shows it."""

from datetime import UTC, datetime

import pytest
from darkroom_records import control
from darkroom_runtime.heartbeat import Heartbeat
from darkroom_runtime.workers import WorkerFacts
from flask.testing import FlaskClient
from redis import Redis

FACTS = WorkerFacts("images@a", ("images", "maintenance"), concurrency=2, active=2, reserved=1, scheduled=0)


def test_it_says_that_no_worker_is_alive(http: FlaskClient, redis: Redis) -> None:
    redis.rpush("images", '{"headers": {}}')
    answer = http.get("/control").get_json()
    assert answer["alive"] is False
    assert "No worker is alive" in answer["note"]
    assert answer["workers"] == []
    assert {queue["name"]: queue["length"] for queue in answer["queues"]} == {
        "images": 1,
        "mail": 0,
        "maintenance": 0,
        "outbound": 0,
    }


def test_it_shows_a_worker_that_is_too_busy_to_answer(http: FlaskClient, redis: Redis) -> None:
    heartbeat = Heartbeat(redis, "images@a/1", lambda: FACTS)
    heartbeat.start()
    answer = http.get("/control").get_json()
    heartbeat.stop()
    assert answer["alive"] is True
    assert answer["workers"] == [
        {
            "name": "images@a",
            "alive": True,
            "queues": ["images", "maintenance"],
            "concurrency": 2,
            "active": 2,
            "reserved": 1,
            "scheduled": 0,
        }
    ]
    assert "queue `mail`" in answer["note"]


@pytest.mark.usefixtures("redis")
def test_it_says_how_old_it_is(http: FlaskClient) -> None:
    first, second = (http.get("/control").get_json() for _ in range(2))
    assert second["as_of"] == first["as_of"]
    assert 0 <= first["age_seconds"] <= second["age_seconds"] < control.MAX_AGE
    age = datetime.now(UTC) - datetime.fromisoformat(first["as_of"])
    assert age.total_seconds() < control.MAX_AGE
