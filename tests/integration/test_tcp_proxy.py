"""The proxy of the tests does to connections what it says."""

from collections.abc import Iterator
from threading import Thread
from urllib.parse import urlsplit

import pytest
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import TimeoutError as RedisTimeoutError
from redis.retry import Retry
from support.tcp_proxy import Proxy
from support.waiting import wait_for

pytestmark = pytest.mark.usefixtures("redis")


@pytest.fixture
def proxy(redis_url: str) -> Iterator[Proxy]:
    address = urlsplit(redis_url)
    with Proxy(str(address.hostname), int(address.port or 0)) as running:
        yield running


def through(proxy: Proxy) -> Redis:
    return Redis(port=proxy.port, socket_timeout=0.5, retry=Retry(NoBackoff(), 0), protocol=2)


def test_a_silent_connection_loses_what_both_sides_say_while_others_go_on(proxy: Proxy, redis: Redis) -> None:
    with through(proxy) as silent, through(proxy) as other:
        silent.echo("this one")
        other.echo("that one")
        assert proxy.silence(b"this one") == 1
        with pytest.raises(RedisTimeoutError):
            silent.incr("count")
        assert not redis.exists("count")
        assert other.incr("count") == 1


def test_a_connection_cut_from_one_side_does_what_it_is_told_and_does_not_say_so(proxy: Proxy, redis: Redis) -> None:
    with through(proxy) as client:
        client.echo("this one")
        assert proxy.silence(b"this one", commands=False) == 1
        with pytest.raises(RedisTimeoutError):
            client.incr("count")
        assert redis.get("count") == "1"


def test_what_a_frozen_network_holds_back_arrives_when_it_thaws(proxy: Proxy, redis: Redis) -> None:
    with through(proxy) as client:
        client.ping()
        with proxy.frozen():
            asking = Thread(target=lambda: Redis(port=proxy.port).incr("count"))
            asking.start()
            with pytest.raises(RedisTimeoutError):
                client.ping()
            assert not redis.exists("count")
        wait_for(lambda: redis.get("count") == "1", limit=10, what="the command to arrive")
        asking.join()
