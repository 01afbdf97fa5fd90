"""What happens to images whose messages reach two workers at the same moment: each is worked on by one of them."""

import json
import threading
import uuid
from pathlib import Path
from typing import cast

import pytest
from darkroom_contracts.queues import Queue
from redis import Redis
from support.live_consumer import live_consumer
from support.local_stack import LocalStack

from faults.ledger import Ledger

pytestmark = pytest.mark.faults


def test_each_message_is_delivered_twice_to_two_workers(usual: LocalStack, ledger: Ledger) -> None:
    doubled: list[str] = []
    skipped = skips(usual)
    left = threading.Event()

    def double() -> None:
        with Redis.from_url(usual.redis_url, decode_responses=True) as redis:
            while not left.wait(0.02):
                doubled.extend(double_messages(redis, set(doubled)))

    with live_consumer("worker", Queue.IMAGES, usual.redis_url, usual.folder.blobs):
        doubling = threading.Thread(target=double)
        doubling.start()
        try:
            ledger.run("each message delivered twice, to two workers", lambda _: None)
        finally:
            left.set()
            doubling.join()
    assert len(doubled) > 20
    assert skips(usual) > skipped, "some reached the second worker while the first one was at work"


def double_messages(redis: Redis, done: set[str]) -> list[str]:
    """Put a copy of each waiting message that has none right beside it, and tell whose copies were made."""
    made = []
    for message in cast("list[str]", redis.lrange(Queue.IMAGES, 0, -1)):
        content = json.loads(message)
        tag = content["properties"]["delivery_tag"]
        if tag not in done:
            content["properties"]["delivery_tag"] = str(uuid.uuid4())
            if redis.linsert(Queue.IMAGES, "BEFORE", message, json.dumps(content)) > 0:
                made += [tag, content["properties"]["delivery_tag"]]
    return made


def skips(stack: LocalStack) -> int:
    """How often a worker has found an image taken or done."""
    return Path(stack.folder.logs / "worker.log").read_text().count("image_skipped")
