"""What the services log: in JSON nothing but JSON, and nothing while nothing happens."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
import requests
from support.client import Client
from support.local_stack import LocalStack
from support.pictures import encode, photograph
from support.waiting import wait_for

pytestmark = pytest.mark.slow

SETTINGS = {
    "DARKROOM_LOG_FORMAT": "json",
    "DARKROOM_RECOVERY_INTERVAL": "1",
    "DARKROOM_EXPIRY_INTERVAL": "1",
    "DARKROOM_MAIL_INTERVAL": "1",
}
OURS = ("api", "worker", "maintenance", "scheduler", "mailer", "outbound", "flower")
ROUNDS = 12


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    """A system that logs JSON, and whose scheduler has much to do."""
    with LocalStack(tmp_path_factory.mktemp("logs"), SETTINGS) as stack:
        yield stack


def lines_of(stack: LocalStack, service: str) -> list[dict[str, Any]]:
    """What a service has logged. Fails where a line is no JSON object."""
    log: Path = stack.folder.logs / f"{service}.log"
    return [as_object(service, line) for line in log.read_text().splitlines()]


def as_object(service: str, line: str) -> dict[str, Any]:
    try:
        found = json.loads(line)
    except ValueError:
        found = None
    assert isinstance(found, dict), f"{service} printed: {line}"
    assert found["event"]
    assert found["level"]
    return found


def broken_tiff() -> bytes:
    """A file that libtiff has something to say about."""
    file = bytearray(encode(photograph(400, 300).convert("L"), "TIFF", compression="tiff_lzw"))
    for position in range(len(file) // 4, len(file) // 2, 97):
        file[position] ^= 0xFF
    return bytes(file)


def test_nothing_is_logged_while_nothing_happens(stack: LocalStack) -> None:
    def rounds() -> int:
        with redis.Redis.from_url(stack.redis_url, decode_responses=True) as client:
            meta = client.hget("darkroom:scheduler:recover-groups", "meta")
            return int(json.loads(str(meta))["total_run_count"]) if meta else 0

    def noted() -> dict[str, int]:
        return {service: len(lines_of(stack, service)) for service in OURS}

    wait_for(lambda: rounds() >= 2, limit=30, what="the scheduler to have begun")
    before, begun = noted(), rounds()

    def asked_as_by_a_health_check() -> bool:
        requests.get(f"{stack.api_url}/readyz", timeout=10).raise_for_status()
        requests.get(f"{stack.flower_url}/healthcheck", timeout=10).raise_for_status()
        return rounds() >= begun + ROUNDS

    wait_for(asked_as_by_a_health_check, limit=90, what="the scheduler to have gone round")
    assert noted() == before


def test_every_line_is_json_through_a_batch_a_failure_a_cancel_and_a_stop(stack: LocalStack) -> None:
    client = Client(stack.api_url)
    group_id = client.start({"one.jpg": encode(photograph()), "torn.tif": broken_tiff()}, [{"op": "blur"}])
    assert client.wait(group_id)["state"] == "partial"
    photographs = {f"{n}.jpg": encode(photograph(2400, 1800, n)) for n in range(12)}
    cancelled = client.start(photographs, [{"op": "blur", "radius": 30}])
    wait_for(lambda: client.status(cancelled)["images"][0]["state"] != "queued", limit=30, what="the first image")
    requests.post(f"{client.url}/cancel/{cancelled}", timeout=30).raise_for_status()
    client.wait(cancelled)
    client.start(photographs, [{"op": "blur", "radius": 30}])  # is at work when the system stops

    stack.stop()

    lines = {service: lines_of(stack, service) for service in OURS}
    assert all(lines.values()), "each has logged something"
    said = "\n".join(str(line) for service in OURS for line in lines[service])
    assert "Ctrl+C" not in said
    assert "backend" not in said
    assert [line["event"] for line in lines["worker"] if line["event"] == "worker_stopping"]
    assert [line for line in lines["worker"] if line["logger"] == "stderr"], "libtiff's word on torn.tif"
