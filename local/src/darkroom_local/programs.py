"""Which programs make up a local system, and how each is run: compose.yaml without the containers.

Commands hold no path: they run in the data folder, and the rest is in their environment. So neither
supervisor's configuration nor a socket's address can choke on the name of a folder.
"""

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from darkroom_contracts.queues import Queue

from darkroom_local import redis_server
from darkroom_local.folder import Folder
from darkroom_local.ports import HOST, Ports

INFRASTRUCTURE = "infrastructure"
"""The group of programs that the others depend on: started before them, stopped after them."""
SERVICES = "services"
"""The group of all others."""

_LARGEST_MAIL = 32 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Page:
    """Healthy while this page of its own answers 200."""

    port: int
    path: str


@dataclass(frozen=True, slots=True)
class Node:
    """Healthy while the Celery node of this name answers a ping."""

    name: str


@dataclass(frozen=True, slots=True)
class Module:
    """Healthy while this module, run with these arguments, says so."""

    command: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Port:
    """Healthy while it accepts connections."""

    port: int


@dataclass(frozen=True, slots=True)
class Redis:
    """Healthy while it answers a ping."""

    port: int


Health = Page | Node | Module | Port | Redis


@dataclass(frozen=True, slots=True)
class Program:
    """One program of the system.

    Attributes:
        name: as its service is called in compose.
        command: what to run.
        health: how to check it.
        stop_signal: what asks it to end.
        stop_seconds: how long it may take to end before it is killed.
        group: those it is started and stopped together with.
    """

    name: str
    command: list[str]
    health: Health
    stop_signal: str = "TERM"
    stop_seconds: int = 10
    group: str = SERVICES


def programs(ports: Ports, *, strict: bool = False) -> list[Program]:
    """All programs of a system.

    Args:
        ports: where they listen.
        strict: whether Redis has each write on the disk before it is confirmed.
    """
    return [
        Program("redis", _redis(ports.redis, strict=strict), Redis(ports.redis), stop_seconds=30, group=INFRASTRUCTURE),
        Program("inbox", _inbox(ports.smtp), Port(ports.smtp), group=INFRASTRUCTURE),
        Program("api", _api(), Page(ports.api, "/readyz"), stop_seconds=30),  # open requests have 25
        # On SIGQUIT it finishes the current image, within its grace period.
        _consumer("worker", Queue.IMAGES, stop_signal="QUIT", stop_seconds=30),
        _consumer("maintenance", Queue.MAINTENANCE),
        Program("scheduler", _celery("scheduler", "beat"), Module(("darkroom_scheduler.health",))),
        _consumer("mailer", Queue.MAIL, stop_seconds=30),
        _consumer("outbound", Queue.OUTBOUND, stop_seconds=30),
        Program("flower", _celery("flower", "flower"), Page(ports.flower, "/readyz")),
    ]


def environment(folder: Folder, ports: Ports, given: Mapping[str, str]) -> dict[str, str]:
    """The environment of every program.

    Args:
        folder: where the system keeps its data.
        ports: where its programs listen.
        given: settings as their user wants them; where the programs find each other is fixed.
    """
    redis = f"redis://{HOST}:{ports.redis}/0"
    defaults = {
        "DARKROOM_LOG_FORMAT": "console",
        "DARKROOM_PUBLIC_URL": f"http://{HOST}:{ports.api}",
        "DARKROOM_SMTP_HOST": HOST,
        "DARKROOM_SMTP_PORT": str(ports.smtp),
    }
    fixed = {
        "DARKROOM_API_HOST": HOST,
        "DARKROOM_API_PORT": str(ports.api),
        "DARKROOM_FLOWER_DIR": str(folder.flower.resolve()),
        "DARKROOM_REDIS_PASSWORD": "",
        "DARKROOM_REDIS_URL": redis,
        "DARKROOM_STORAGE_DIR": str(folder.blobs.resolve()),
        "FLOWER_ADDRESS": HOST,
        "FLOWER_PORT": str(ports.flower),
        "PATH": os.pathsep.join([*_program_folders(), given.get("PATH", os.defpath)]),
        "PYTHONSAFEPATH": "1",  # the data folder, in which they run, is no place to import from
        "PYTHONUNBUFFERED": "1",
    }
    if presets := given.get("DARKROOM_PRESETS"):
        fixed["DARKROOM_PRESETS"] = str(Path(presets).resolve())  # as seen from where its user is
    return defaults | {name: value for name, value in given.items() if value} | fixed


def _program_folders() -> list[str]:
    return [str(Path(sys.executable).parent), str(redis_server.find_server().parent)]


def _redis(port: int, *, strict: bool) -> list[str]:
    return [redis_server.find_server().name, *redis_server.options(Path("redis"), port, strict=strict)]


def _python(module: str, *arguments: str) -> list[str]:
    return ["python", "-m", module, *arguments]


def _celery(service: str, *arguments: str) -> list[str]:
    return _python("celery", "--quiet", "-A", f"darkroom_{service}.app", *arguments)


def _consumer(service: str, queue: Queue, *, stop_signal: str = "TERM", stop_seconds: int = 10) -> Program:
    node = f"{queue}@local"
    command = _celery(service, "worker", "-Q", queue, "-n", node, "--without-mingle", "--without-gossip")
    return Program(service, command, Node(node), stop_signal, stop_seconds)


def _api() -> list[str]:
    return _python("gunicorn", "--config", "python:darkroom_api.gunicorn_config", "darkroom_api.wsgi:app")


def _inbox(port: int) -> list[str]:
    handler = ("--class", "aiosmtpd.handlers.Mailbox", "mail")
    return _python("aiosmtpd", "--nosetuid", "--listen", f"{HOST}:{port}", "--size", str(_LARGEST_MAIL), *handler)
