"""The Redis server that runs without containers."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from darkroom_local import ports
from darkroom_local.redis_server import RedisServerError
from support.redis_server import RedisServer


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RedisServer]:
    with RedisServer(tmp_path / "redis") as server:
        yield server


def _remembers(server: RedisServer) -> bool:
    with redis.Redis.from_url(server.url) as client:
        return bool(client.get("photograph") == b"kept")


def _store(server: RedisServer) -> None:
    with redis.Redis.from_url(server.url) as client:
        client.set("photograph", "kept")


def test_what_it_confirmed_survives_a_restart(server: RedisServer) -> None:
    _store(server)
    server.restart()
    assert _remembers(server)


def test_what_it_confirmed_survives_a_crash(server: RedisServer) -> None:
    _store(server)
    server.kill()
    server.start()
    assert _remembers(server)


def test_it_is_reached_under_the_same_address_after_a_restart(server: RedisServer) -> None:
    before = server.url
    server.restart()
    assert server.url == before


def test_a_full_server_refuses_and_forgets_nothing(server: RedisServer) -> None:
    _store(server)
    with redis.Redis.from_url(server.url) as client:
        client.config_set("maxmemory", "1")
        with pytest.raises(redis.exceptions.OutOfMemoryError):
            client.set("one more", "x")
    assert _remembers(server)


def test_two_servers_run_side_by_side(server: RedisServer, tmp_path: Path) -> None:
    with RedisServer(tmp_path / "other") as other:
        _store(other)
        assert not _remembers(server)


def test_a_taken_port_is_refused_with_what_redis_said(tmp_path: Path) -> None:
    with socket.create_server((ports.HOST, 0)) as taken:
        server = RedisServer(tmp_path, port=taken.getsockname()[1])
        with pytest.raises(RedisServerError, match="in use"):
            server.start()


def test_its_folder_may_have_a_long_name(tmp_path: Path) -> None:
    deep = tmp_path / ("long" * 30) / ("path" * 30)
    with RedisServer(deep) as server:
        _store(server)
        server.restart()
        assert _remembers(server)
