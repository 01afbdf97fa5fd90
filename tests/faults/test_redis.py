"""What happens to a batch when Redis is not what it was in the middle of it."""

import shutil

import pytest
import requests
from darkroom_contracts.queues import Queue
from redis import Redis
from support import redis_troubles
from support.client import Client
from support.live_consumer import live_consumer
from support.local_stack import LocalStack
from support.pictures import encode, photograph
from support.tcp_proxy import Proxy
from support.waiting import wait_for

from faults.causes import frozen, pass_time
from faults.ledger import WORK, Ledger

pytestmark = pytest.mark.faults


def test_it_is_killed(usual: LocalStack, ledger: Ledger) -> None:
    ledger.run("kill -9 of Redis", lambda _: usual.kill_program("redis"))


def test_it_is_stopped_and_started(usual: LocalStack, ledger: Ledger) -> None:
    def restart(_: str) -> None:
        usual.stop_program("redis")
        usual.start_program("redis")

    ledger.run("Redis stopped and started", restart)


def test_it_is_frozen_for_half_a_minute(usual: LocalStack, ledger: Ledger) -> None:
    def freeze(_: str) -> None:
        with frozen(usual.processes["redis"].pid):
            pass_time(30)

    ledger.run("Redis frozen for 30 s", freeze)


def test_it_has_no_memory_left_for_a_while(usual: LocalStack, ledger: Ledger) -> None:
    def fill(_: str) -> None:
        with Redis.from_url(usual.redis_url) as redis, redis_troubles.full(redis):
            pass_time(15)

    ledger.run("Redis out of memory for 15 s (noeviction)", fill)


def test_it_comes_back_empty(usual: LocalStack, ledger: Ledger) -> None:
    """What it knew is lost with its disk, which is more than is promised. The system works on all the same."""
    client = Client(usual.api_url)
    group_id = client.start({f"{number}.jpg": encode(photograph(200, 150, number)) for number in range(100)}, WORK)
    wait_for(lambda: client.status(group_id)["completed"] >= 10, limit=60, what="the batch to be under way")
    usual.stop_program("redis")
    for file in usual.folder.redis.iterdir():
        shutil.rmtree(file) if file.is_dir() else file.unlink()
    usual.start_program("redis")
    assert requests.get(f"{client.url}/status/{group_id}", timeout=30).status_code == 404
    shutil.rmtree(usual.folder.blobs / "groups" / group_id, ignore_errors=True)  # else it is deleted after a day
    ledger.run("Redis lost its data before this batch", lambda _: None)


def test_a_worker_is_cut_off_from_it_without_a_word(usual: LocalStack, ledger: Ledger) -> None:
    """Its connections stay open and nothing passes, until the other worker has done all there was to do."""
    with (
        Proxy("127.0.0.1", usual.ports.redis) as proxy,
        live_consumer("worker", Queue.IMAGES, f"redis://127.0.0.1:{proxy.port}/0", usual.folder.blobs),
    ):
        ledger.run(
            "one of two workers cut off from Redis without a word",
            lambda _: proxy.freeze(),
            then=lambda _: proxy.pass_everything(),
        )


def test_the_only_worker_is_cut_off_from_it_for_a_while(usual: LocalStack, ledger: Ledger) -> None:
    usual.stop_program("worker")
    settings = {"DARKROOM_WORKER_CONCURRENCY": "2"}
    try:
        with (
            Proxy("127.0.0.1", usual.ports.redis) as proxy,
            live_consumer("worker", Queue.IMAGES, f"redis://127.0.0.1:{proxy.port}/0", usual.folder.blobs, settings),
        ):

            def cut_off(_: str) -> None:
                with proxy.frozen():
                    pass_time(30)

            ledger.run("the only worker cut off from Redis for 30 s", cut_off)
    finally:
        usual.start_program("worker")
