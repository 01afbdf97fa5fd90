"""Who can reach whom: what parses strangers' files has no way out."""

import pytest

from compose.system import ComposeSystem

pytestmark = pytest.mark.compose

WITHIN = ("worker", "maintenance", "scheduler")
CONNECT = """
import socket, sys
host, port = sys.argv[1:]
try:
    socket.create_connection((host, int(port)), 3).close()
except OSError as error:
    print(type(error).__name__)
else:
    print("connected")
"""


def inbox(system: ComposeSystem) -> str:
    """The address of a container outside: it is on the outward network alone."""
    [network] = system.inspect(system.containers("inbox")[0])["NetworkSettings"]["Networks"].values()
    address = network["IPAddress"]
    assert isinstance(address, str)
    return address


def connect(system: ComposeSystem, service: str, host: str, port: int) -> str:
    return system.run_in(system.containers(service)[0], "python", "-c", CONNECT, host, str(port)).strip()


@pytest.mark.parametrize("service", WITHIN)
def test_there_is_no_way_out_of_the_network_within(system: ComposeSystem, service: str) -> None:
    assert connect(system, service, "redis", 6379) == "connected"
    assert connect(system, service, inbox(system), 1080) != "connected"
    assert connect(system, service, "192.0.2.1", 80) != "connected"
    assert connect(system, service, "inbox", 1080) == "gaierror"  # nor do names of others lead anywhere


def test_redis_has_no_way_out_either(system: ComposeSystem) -> None:
    command = f"timeout 3 redis-cli -h {inbox(system)} -p 1080 ping || echo unreachable"
    assert "unreachable" in system.run_in(system.containers("redis")[0], "sh", "-c", command)


@pytest.mark.parametrize("service", ["outbound", "mailer", "api"])
def test_who_must_get_out_can(system: ComposeSystem, service: str) -> None:
    assert connect(system, service, "redis", 6379) == "connected"
    assert connect(system, service, inbox(system), 1080) == "connected"


def test_outbound_fetches_from_no_neighbour(system: ComposeSystem) -> None:
    code = (
        "from darkroom_outbound.resources import client\n"
        "from darkroom_outbound.fetching import Limits, fetch_file\n"
        "import sys\n"
        "for url in sys.argv[1:]:\n"
        "    try: print(fetch_file(url, len, client=client(), limits=Limits(1000, 10)))\n"
        "    except Exception as error: print(getattr(error, 'code', error))\n"
    )
    urls = ["http://redis:6379/", "http://api:8000/healthz", "http://inbox:1080/", "http://127.0.0.1:8000/"]
    said = system.run_in(system.containers("outbound")[0], "python", "-c", code, *urls)
    assert said.split() == ["url_not_allowed"] * len(urls)


def test_networks_are_as_many_as_a_container_needs(system: ComposeSystem) -> None:
    for service in (*WITHIN, "redis"):
        networks = system.inspect(system.containers(service)[0])["NetworkSettings"]["Networks"]
        assert [name.rpartition("_")[2] for name in networks] == ["within"]
