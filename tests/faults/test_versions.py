"""What happens to a batch that the version before took in, when this version goes on with it: it is completed.

Its record, messages and originals are written as version 0.1.0 wrote them (``tests/e2e/upgrades``, where a whole
system of that version is taken over), for 100 images, while this version works on a batch of its own. Those of its
messages that a worker of that version died with are lost.
"""

import base64
import json
import time
import uuid
from pathlib import Path
from typing import Any

import pytest
from darkroom_contracts.queues import Queue
from redis import Redis
from support.local_stack import LocalStack
from support.pictures import decode

from faults.ledger import Ledger

pytestmark = pytest.mark.faults

VERSION: dict[str, Any] = json.loads((Path(__file__).parents[1] / "e2e" / "upgrades" / "0.1.0.json").read_text())
GROUP: str = VERSION["ids"]["queued"]
IMAGES = 100
LOST = 10


def test_a_batch_of_the_version_before_is_completed(usual: LocalStack, ledger: Ledger) -> None:
    def take_over(_: str) -> None:
        original = base64.b64decode(VERSION["blobs"][f"groups/{GROUP}/in/0"])
        for index in range(IMAGES):
            file = usual.folder.blobs / "groups" / GROUP / "in" / str(index)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(original)
        with Redis.from_url(usual.redis_url, decode_responses=True) as redis:
            write_record(redis)

    def completed(_: str) -> None:
        status = ledger.client.wait(GROUP)
        assert (status["state"], status["completed"]) == ("completed", IMAGES), status
        assert {decode(ledger.client.result(GROUP, index)).format for index in range(IMAGES)} == {"WEBP"}
        ledger.delete(GROUP)

    ledger.run("a batch of 100 images of version 0.1.0, a tenth of its messages lost", take_over, then=completed)


def write_record(redis: Redis) -> None:
    """Write the group down as that version did, and send its messages."""
    key, now = f"darkroom:group:{GROUP}", str(time.time())
    known = VERSION["redis"][key]["value"]
    indices = [str(index) for index in range(IMAGES)]
    redis.hset(f"{key}:items", mapping=dict.fromkeys(indices, VERSION["redis"][f"{key}:items"]["value"]["0"]))
    redis.hset(f"{key}:states", mapping=dict.fromkeys(indices, "queued"))
    redis.hset(key, mapping=known | {"queued": IMAGES, "created_at": now, "published_at": now})
    redis.zadd("darkroom:groups:running", {GROUP: float(now)})
    for index in range(LOST, IMAGES):
        redis.lpush(Queue.IMAGES, message(index, now))


def message(index: int, now: str) -> str:
    """A message as that version sent it."""
    written = next(json.loads(one) for one in VERSION["redis"]["images"]["value"] if f'"{GROUP}.0"' in one)
    arguments, *rest = json.loads(base64.b64decode(written["body"]))
    assert arguments == [GROUP, 0]
    written["body"] = base64.b64encode(json.dumps([[GROUP, index], *rest]).encode()).decode()
    written["headers"] |= {"id": f"{GROUP}.{index}", "root_id": f"{GROUP}.{index}", "published_at": float(now)}
    written["properties"]["delivery_tag"] = str(uuid.uuid4())
    return json.dumps(written)
