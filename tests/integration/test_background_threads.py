"""Threads that others rely on survive whatever Redis answers."""

import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from darkroom_api.groups.changes import Changes
from darkroom_api.groups.feeds import Feeds
from darkroom_api.groups.responses import GroupStatus
from darkroom_api.http.paths import Paths
from darkroom_contracts.ids import new_group_id
from darkroom_records.groups import GroupStore, NewImage
from darkroom_runtime.background import keep_doing
from darkroom_runtime.heartbeat import Heartbeat
from darkroom_runtime.redis_client import connect
from darkroom_runtime.settings import Settings
from darkroom_runtime.workers import WORKERS as WORKERS
from darkroom_runtime.workers import WorkerFacts, heartbeat_key
from redis import Redis
from support.redis_server import RedisServer
from support.redis_troubles import REFUSES_WRITES, Troubled, refusals, unreadable, without_channels
from support.waiting import wait_for

NAME = "images@test/1"


@pytest.fixture
def own_redis(tmp_path: Path) -> Iterator[Redis]:
    """A Redis of the test's own, to make trouble with."""
    with RedisServer(tmp_path / "redis") as server, connect(Settings(redis_url=server.url)) as client:
        yield client


@pytest.fixture
def other_client(own_redis: Redis) -> Iterator[Redis]:
    """A connection to it that the thread under test has for itself."""
    port = own_redis.connection_pool.connection_kwargs["port"]
    with connect(Settings(redis_url=f"redis://127.0.0.1:{port}/0"), retries=0) as client:
        yield client


@pytest.mark.parametrize(("troubled", "word"), REFUSES_WRITES.values(), ids=REFUSES_WRITES)
def test_a_heartbeat_comes_back_when_redis_takes_it_again(
    own_redis: Redis, other_client: Redis, troubled: Troubled, word: str
) -> None:
    heartbeat = Heartbeat(other_client, NAME, lambda: WorkerFacts("images@test", ("images",), 1, 0, 0, 0))
    heartbeat.start()
    try:
        own_redis.delete(heartbeat_key(NAME), WORKERS)
        with troubled(own_redis):
            before = refusals(own_redis, word)
            wait_for(lambda: refusals(own_redis, word) > before + 1, limit=30, what="heartbeats to be refused")
        wait_for(lambda: own_redis.exists(heartbeat_key(NAME)), limit=30, what="the heartbeat to come back")
        assert own_redis.zscore(WORKERS, NAME)
    finally:
        heartbeat.stop()
    assert not own_redis.exists(heartbeat_key(NAME))


def test_a_worker_does_not_count_as_dead_because_redis_is_full(own_redis: Redis, other_client: Redis) -> None:
    heartbeat = Heartbeat(other_client, NAME, lambda: WorkerFacts("images@test", ("images",), 1, 0, 0, 0))
    heartbeat.start()
    try:
        with REFUSES_WRITES["full"][0](own_redis):
            own_redis.expire(heartbeat_key(NAME), 7)
            wait_for(lambda: own_redis.ttl(heartbeat_key(NAME)) > 10, limit=30, what="the heartbeat to be prolonged")
    finally:
        heartbeat.stop()


def test_heartbeats_that_begin_while_redis_is_full_are_there_afterwards(own_redis: Redis, other_client: Redis) -> None:
    heartbeat = Heartbeat(other_client, NAME, lambda: WorkerFacts("images@test", ("images",), 1, 0, 0, 0))
    with REFUSES_WRITES["full"][0](own_redis):
        heartbeat.start()
        assert not own_redis.exists(heartbeat_key(NAME))
    try:
        wait_for(lambda: own_redis.exists(heartbeat_key(NAME)), limit=30, what="the heartbeat to come")
    finally:
        heartbeat.stop()


def test_a_heartbeat_survives_what_nobody_expected(own_redis: Redis, other_client: Redis) -> None:
    failures = iter([RuntimeError("deque mutated during iteration"), MemoryError()])

    def facts() -> WorkerFacts:
        for failure in failures:
            raise failure
        return WorkerFacts("images@test", ("images",), 1, 0, 0, 0)

    heartbeat = Heartbeat(other_client, NAME, facts)
    heartbeat.start()
    try:
        wait_for(lambda: own_redis.exists(heartbeat_key(NAME)), limit=30, what="the heartbeat")
    finally:
        heartbeat.stop()


def test_who_waits_for_a_change_hears_of_it_after_redis_let_nobody_subscribe(
    own_redis: Redis, other_client: Redis
) -> None:
    groups = GroupStore(own_redis)
    group_id = new_group_id()
    groups.create(group_id, [NewImage("a.jpg")], ())
    changes = Changes(other_client, limit=1)
    try:
        with changes.watch(group_id) as watch:
            assert watch is not None
            assert watch.wait(30)  # subscribed
            with without_channels(own_redis):
                wait_for(lambda: refusals(own_redis, "NOPERM"), limit=30, what="a subscription to be refused")
            assert watch.wait(30)  # subscribed again
            groups.cancel(group_id)
            assert watch.wait(30)
    finally:
        changes.close()


def test_a_stream_goes_on_after_redis_could_not_be_read(own_redis: Redis, other_client: Redis) -> None:
    groups = GroupStore(other_client)
    group_id = new_group_id()
    GroupStore(own_redis).create(group_id, [NewImage("a.jpg")], ())
    changes = Changes(other_client, limit=1)
    try:
        describe = partial(GroupStatus.of, paths=Paths(), keep_results=60)
        with Feeds(groups, changes, describe, limit=1).follow(group_id) as feed:
            first = feed.wait(None, 30)
            assert first is not None
            with unreadable(own_redis):
                before = refusals(own_redis, "MASTERDOWN")
                feed.tell()
                wait_for(lambda: refusals(own_redis, "MASTERDOWN") > before, limit=30, what="a read to be refused")
            GroupStore(own_redis).cancel(group_id)
            news = feed.wait(first.version, 30)
            assert news is not None
            assert news.is_last
    finally:
        changes.close()


def test_a_thread_goes_on_after_any_error_and_ends_when_it_is_told_to() -> None:
    ended, done = threading.Event(), threading.Event()
    failures = iter([ValueError("unexpected"), MemoryError(), RecursionError()])

    def step() -> None:
        for failure in failures:
            raise failure
        done.set()
        ended.wait()

    thread = keep_doing("test", step, ended, pause=0.01)
    assert done.wait(30)
    ended.set()
    thread.join(30)
    assert not thread.is_alive()
