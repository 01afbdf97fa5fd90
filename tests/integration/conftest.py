"""A real Redis for every test that needs one."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from darkroom_records.groups import GroupStore
from darkroom_runtime.redis_client import connect
from darkroom_runtime.settings import Settings
from redis import Redis
from support.redis_server import RedisServer
from support.s3_server import S3Server


@pytest.fixture(scope="session")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a Redis that lives for the whole run."""
    folder: Path = tmp_path_factory.mktemp("redis")
    with RedisServer(folder) as server:
        yield server.url


@pytest.fixture
def redis(redis_url: str) -> Iterator[Redis]:
    """An empty Redis."""
    client = connect(Settings(redis_url=redis_url))
    client.flushall()
    yield client
    client.close()


@pytest.fixture
def groups(redis: Redis) -> GroupStore:
    """A group store with nothing in it."""
    return GroupStore(redis)


@pytest.fixture(scope="session")
def s3_server() -> Iterator[S3Server]:
    """A server of S3 that lives for the whole run."""
    with S3Server() as server:
        yield server
