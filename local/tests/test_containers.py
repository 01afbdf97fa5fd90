"""What `make up` does with containers, as far as it needs no Docker Engine."""

import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from darkroom_local.announcement import announcement
from darkroom_local.containers import (
    SETTING_OF,
    ContainersError,
    Published,
    published_ports,
    refuse_taken_ports,
)
from darkroom_local.ports import HOST
from support.free_ports import free_port

COMPOSE = yaml.safe_load((Path(__file__).parents[2] / "compose.yaml").read_text())


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.create_server((HOST, free_port())) as server:
        yield server.getsockname()[1]


def test_the_settings_it_names_are_those_that_compose_reads() -> None:
    published = {name: service["ports"] for name, service in COMPOSE["services"].items() if "ports" in service}
    bindings = [(service, *port.rsplit(":", 1)) for service, ports in published.items() for port in ports]
    assert {int(inside) for _, _, inside in bindings} == set(SETTING_OF)
    for service, outside, inside in bindings:
        port = Published(service, HOST, 0, int(inside))
        assert f"${{{port.setting}:-" in outside
        assert f"${{{port.bind}:-" in outside


def test_ports_are_read_from_the_resolved_configuration() -> None:
    port = {"host_ip": "127.0.0.1", "target": 8000, "published": "8080"}
    free_choice = {"target": 5555, "published": "9000-9100"}
    config = {"services": {"api": {"ports": [port]}, "redis": {}, "flower": {"ports": [free_choice]}}}
    assert published_ports(config) == [Published("api", "127.0.0.1", 8080, 8000)]


@pytest.mark.parametrize("address", ["127.0.0.1", "0.0.0.0", ""])
def test_a_taken_port_is_named_with_its_setting(taken: int, address: str) -> None:
    with pytest.raises(ContainersError, match=f"Port {taken}, .*DARKROOM_FLOWER_PORT"):
        refuse_taken_ports([Published("flower", address, taken, 5555)], own=set())


def test_a_port_that_the_system_itself_has_published_is_no_obstacle(taken: int) -> None:
    refuse_taken_ports([Published("flower", HOST, taken, 5555)], own={taken})


def test_two_services_on_one_port_are_named() -> None:
    port = free_port()
    with pytest.raises(ContainersError, match=r"both api and inbox.*DARKROOM_PORT or DARKROOM_INBOX_PORT"):
        refuse_taken_ports([Published("api", HOST, port, 8000), Published("inbox", HOST, port, 1080)], own=set())


def test_an_address_of_another_machine_is_named() -> None:
    with pytest.raises(ContainersError, match=r"192\.0\.2\.1 is not an address of this machine.*DARKROOM_BIND"):
        refuse_taken_ports([Published("api", "192.0.2.1", free_port(), 8000)], own=set())


@pytest.mark.parametrize(
    ("address", "url"),
    [("127.0.0.1", "http://127.0.0.1:80"), ("0.0.0.0", "http://127.0.0.1:80"), ("::1", "http://[::1]:80")],
)
def test_the_url_of_a_published_port_works_on_this_machine(address: str, url: str) -> None:
    assert Published("api", address, 80, 8000).url == url


def test_the_announcement_names_every_address_once() -> None:
    text = announcement(api="http://a:1", flower="http://f:2", email="http://m:3/", public="http://a:1")
    assert re.findall(r"http://\S+", text) == ["http://a:1/", "http://a:1/docs", "http://f:2/", "http://m:3/"]
    assert "https://photos.example" in announcement(api="a", flower="f", email="m", public="https://photos.example")


def test_it_needs_nothing_but_python() -> None:
    source = Path(__file__).parents[1] / "src"
    code = f"import sys; sys.path.insert(0, {str(source)!r}); import darkroom_local.containers; print(*sys.modules)"
    command = [sys.executable, "-I", "-S", "-c", code]
    modules = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    roots = {name.partition(".")[0] for name in modules} - {"__main__"}
    assert roots <= sys.stdlib_module_names | {"darkroom_local"}
