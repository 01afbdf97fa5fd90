"""A local system is the one that compose.yaml describes, without the containers."""

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml
from darkroom_local.folder import Folder
from darkroom_local.ports import Ports
from darkroom_local.programs import Module, Node, Page, Program, environment, programs

SERVICES: dict[str, Any] = yaml.safe_load((Path(__file__).parents[2] / "compose.yaml").read_text())["services"]
COMPOSE = {name: service for name, service in SERVICES.items() if "profiles" not in service}
"""What starts where nothing else is asked for."""
PORTS = Ports(api=8000, flower=5555, redis=6379, smtp=1025, control=9001)
PROGRAMS = {program.name: program for program in programs(PORTS)}
OURS = [name for name, service in COMPOSE.items() if "build" in service]
GRACE = 10
"""Seconds that Docker gives a container to stop, where it is told nothing else."""


def container_command(service: str) -> str:
    """How a program is started in its container: what local starts as a module, with a node's name of its own."""
    _, _, *words = PROGRAMS[service].command
    return shlex.join(words).replace("@local", "@%h")


def seconds(duration: str | None) -> int:
    return int(duration.removesuffix("s")) if duration else GRACE


def test_it_has_the_programs_that_compose_has() -> None:
    assert set(PROGRAMS) == set(COMPOSE)


@pytest.mark.parametrize("service", OURS)
def test_each_program_is_started_by_the_same_command(service: str) -> None:
    assert container_command(service) == shlex.join(COMPOSE[service]["command"])


def test_redis_keeps_and_refuses_the_same() -> None:
    script = COMPOSE["redis"]["command"][-1].replace("\\\n", " ")
    told = dict(re.findall(r"--([a-z-]+) (\S+)", script))
    words = PROGRAMS["redis"].command[1:]
    ours = {name.removeprefix("--"): value for name, value in zip(words[::2], words[1::2], strict=True)}
    for name in ("appendonly", "maxmemory", "maxmemory-policy"):
        assert ours[name] == told[name]


@pytest.mark.parametrize(("durability", "is_strict"), [("normal", False), ("strict", True)])
def test_redis_writes_to_the_disk_as_often(durability: str, is_strict: bool) -> None:
    choice = re.search(rf"{durability}\) appendfsync=(\w+)", COMPOSE["redis"]["command"][-1])
    words = next(program for program in programs(PORTS, strict=is_strict) if program.name == "redis").command
    assert choice
    assert choice[1] == words[words.index("--appendfsync") + 1]


@pytest.mark.parametrize("program", PROGRAMS.values(), ids=lambda program: program.name)
def test_each_program_is_asked_to_end_in_the_same_way_and_given_the_same_time(program: Program) -> None:
    service = COMPOSE[program.name]
    remapped = service.get("environment", {}).get("REMAP_SIGTERM")
    assert f"SIG{program.stop_signal}" == (remapped or service.get("stop_signal", "SIGTERM"))
    assert program.stop_seconds == seconds(service.get("stop_grace_period"))


@pytest.mark.parametrize("service", OURS)
def test_each_program_is_asked_for_its_health_in_the_same_way(service: str) -> None:
    asked = shlex.join(COMPOSE[service]["healthcheck"]["test"])
    match PROGRAMS[service].health:
        case Page(port, path):
            assert asked == f"CMD darkroom-health {port} {path}"
        case Node() | Module():  # asked whether it works, where a container's process says so by itself
            assert asked == "CMD darkroom-health"
        case other:
            pytest.fail(f"nothing in compose.yaml is asked as {other} is")


def test_what_it_sets_by_itself_is_set_for_containers_too(tmp_path: Path) -> None:
    # Paths and ports come with the image of a container.
    of_the_machine = {"DARKROOM_API_PORT", "DARKROOM_FLOWER_DIR", "DARKROOM_STORAGE_DIR"}
    ours = {name for name in environment(Folder(tmp_path), PORTS, {}) if name.startswith("DARKROOM_")}
    passed = {name for service in COMPOSE.values() for name in service.get("environment", {})}
    assert ours - of_the_machine <= passed


@pytest.mark.parametrize("service", OURS)
def test_every_setting_that_compose_passes_on_reaches_the_local_program(service: str, tmp_path: Path) -> None:
    given = {name: "as given" for name in COMPOSE[service]["environment"] if name.startswith("DARKROOM_")}
    made = environment(Folder(tmp_path), PORTS, given)
    assert {name for name in given if made[name] != "as given"} <= {
        "DARKROOM_API_HOST",
        "DARKROOM_PRESETS",  # a path, made absolute
        "DARKROOM_REDIS_PASSWORD",
        "DARKROOM_REDIS_URL",
    }
