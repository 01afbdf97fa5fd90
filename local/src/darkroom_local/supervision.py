"""Supervisor, which runs the programs of a local system: restarts what crashed, and stops it all in order."""

import configparser
import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any, cast
from xmlrpc.client import Fault, ServerProxy, Transport

from darkroom_local.folder import open_private
from darkroom_local.ports import HOST
from darkroom_local.programs import INFRASTRUCTURE, SERVICES, Program

UNREACHABLE = (OSError, Fault)
"""Errors raised while supervisor is unreachable or shutting down."""

_USER = "darkroom"
_LOG_BYTES = 10_000_000
_LOG_BACKUPS = 2


@dataclass(frozen=True, slots=True)
class Process:
    """A program as supervisor sees it.

    Attributes:
        name: of the program.
        state: in supervisor's words, such as RUNNING or BACKOFF.
        pid: its process id, which is also the id of its process group; 0 while it does not run.
        since: when it entered this state, in Unix seconds.
    """

    name: str
    state: str
    pid: int
    since: int

    @property
    def is_up(self) -> bool:
        """Return whether it runs, even if only for a moment."""
        return self.state in ("STARTING", "RUNNING")

    @property
    def has_failed(self) -> bool:
        """Return whether it exited by itself. Supervisor may be about to restart it."""
        return self.state in ("BACKOFF", "EXITED", "FATAL")


def write_config(file: Path, programs: Iterable[Program], port: int, password: str) -> None:
    """Write supervisor's configuration, for its owner's eyes only: it holds the password that controls the system."""
    config = configparser.RawConfigParser()
    config["supervisord"] = {"logfile": "logs/supervisor.log", "pidfile": "run/supervisor.pid", "childlogdir": "logs"}
    config["inet_http_server"] = {"port": f"{HOST}:{port}", "username": _USER, "password": password}
    config["rpcinterface:supervisor"] = {
        "supervisor.rpcinterface_factory": "supervisor.rpcinterface:make_main_rpcinterface"
    }
    members: dict[str, list[str]] = {INFRASTRUCTURE: [], SERVICES: []}
    for program in programs:
        config[f"program:{program.name}"] = _section(program)
        members[program.group].append(program.name)
    # Of one group all are stopped at once; the group of the higher priority goes first.
    for priority, (group, names) in enumerate(members.items(), start=1):
        config[f"group:{group}"] = {"programs": ",".join(names), "priority": str(priority)}
    with open_private(file) as opened:
        config.write(opened)


def _section(program: Program) -> dict[str, str]:
    return {
        "command": shlex.join(program.command).replace("%", "%%"),
        "autostart": "false",  # in order, once what it stands on is ready
        "autorestart": "true",
        "startsecs": "5",  # who ends sooner has failed to start, and is started again
        "startretries": "1000",  # after a second more each time
        "stopsignal": program.stop_signal,
        "stopwaitsecs": str(program.stop_seconds),
        "killasgroup": "true",
        "redirect_stderr": "true",
        "stdout_logfile": f"logs/{program.name}.log",
        "stdout_logfile_maxbytes": str(_LOG_BYTES),
        "stdout_logfile_backups": str(_LOG_BACKUPS),
    }


class _OneAtATime(Transport):
    """Lets threads take turns with its connection, which would mix up their answers."""

    def __init__(self) -> None:
        super().__init__()
        self._turn = Lock()

    def request(self, *arguments: Any, **options: Any) -> Any:
        with self._turn:
            return super().request(*arguments, **options)


class Control:
    """Speaks to a running supervisor. Threads may share it. Where none answers, one of ``UNREACHABLE`` is raised."""

    def __init__(self, port: int, password: str) -> None:
        self._proxy = ServerProxy(f"http://{_USER}:{password}@{HOST}:{port}/RPC2", transport=_OneAtATime())

    def close(self) -> None:
        cast("Any", self._proxy("close"))()

    def answers(self) -> bool:
        """Return whether a supervisor responds."""
        try:
            return bool(self._proxy.supervisor.getPID())
        except UNREACHABLE:
            return False

    def processes(self) -> dict[str, Process]:
        """Every program's process, by the program's name."""
        infos = cast("list[Mapping[str, Any]]", self._proxy.supervisor.getAllProcessInfo())
        return {info["name"]: _process(info) for info in infos}

    def start_group(self, group: str) -> None:
        """Start the programs of a group without waiting for them."""
        self._proxy.supervisor.startProcessGroup(group, False)

    def start(self, program: Program) -> None:
        """Start a stopped program, and wait until it runs."""
        self._proxy.supervisor.startProcess(f"{program.group}:{program.name}")

    def stop(self, program: Program) -> None:
        """Stop a program, and wait until it has ended. It is not restarted."""
        self._proxy.supervisor.stopProcess(f"{program.group}:{program.name}")

    def shutdown(self) -> None:
        """Stop all programs and supervisor itself, without waiting for it."""
        self._proxy.supervisor.shutdown()


def _process(info: Mapping[str, Any]) -> Process:
    return Process(name=info["name"], state=info["statename"], pid=info["pid"], since=info["start"])
