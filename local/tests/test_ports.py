"""Choosing ports."""

import socket
from collections.abc import Iterator

import pytest
from darkroom_local.ports import HOST, NoFreePortError, Ports, anywhere, near
from support.local_stack import random_ports


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.create_server((HOST, anywhere())) as server:
        yield server.getsockname()[1]


def test_a_free_port_is_taken_as_it_is() -> None:
    port = anywhere()
    assert near(port) == port


def test_the_next_free_port_stands_in_for_a_taken_one(taken: int) -> None:
    assert taken < near(taken) < taken + 100


def test_a_port_that_was_asked_for_is_refused_when_it_is_taken(taken: int) -> None:
    with pytest.raises(NoFreePortError, match=f"Port {taken} is in use .* DARKROOM_PORT"):
        Ports.default(api=taken)
    with pytest.raises(NoFreePortError, match=f"Port {taken} is in use .* DARKROOM_FLOWER_PORT"):
        Ports.default(flower=taken)


def test_a_port_that_was_asked_for_is_used() -> None:
    port = anywhere()
    assert Ports.default(api=port).api == port
    assert Ports.default(flower=port).flower == port


def test_the_ports_of_a_system_differ_from_each_other() -> None:
    ports = random_ports()
    assert len({ports.api, ports.flower, ports.redis, ports.smtp, ports.control}) == 5
