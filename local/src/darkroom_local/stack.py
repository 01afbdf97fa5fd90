"""The whole system as local processes."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from darkroom_local.folder import Folder
from darkroom_local.leftovers import refuse_second_redis
from darkroom_local.ports import HOST, Ports
from darkroom_local.programs import INFRASTRUCTURE, SERVICES, environment, programs
from darkroom_local.readiness import Readiness
from darkroom_local.record import Record, lock
from darkroom_local.redis_server import refuse_foreign_data
from darkroom_local.supervision import Process, write_config

_POLL = 0.1


class StackError(RuntimeError):
    """The system did not start. The message quotes the logs of its programs."""


class LocalStack:
    """The whole system as processes under supervisor, as a context manager.

    Args:
        data_dir: where all its data is kept; made if it is not there.
        settings: of the services, as environment variables, beside those this process has been given.
        ports: where to listen.
    """

    patience = 90.0
    """Seconds until a program must be ready; a slow machine starts all of them in twenty."""

    def __init__(self, data_dir: Path, settings: Mapping[str, str], ports: Ports) -> None:
        self.folder = Folder(data_dir)
        self.ports = ports
        self._settings = {**os.environ, **settings}
        strict = self._settings.get("DARKROOM_DURABILITY") == "strict"
        self._programs = {program.name: program for program in programs(self.ports, strict=strict)}
        self._readiness = Readiness(self.redis_url)
        self._record = Record(self.ports)
        self._control = self._record.control()
        self._supervisor: subprocess.Popen[bytes] | None = None

    @property
    def api_url(self) -> str:
        return f"http://{HOST}:{self.ports.api}"

    @property
    def flower_url(self) -> str:
        return f"http://{HOST}:{self.ports.flower}"

    @property
    def redis_url(self) -> str:
        return f"redis://{HOST}:{self.ports.redis}/0"

    @property
    def processes(self) -> dict[str, Process]:
        """The processes of the programs now, by their names, which are those of the services in compose."""
        return self._control.processes()

    def start(self) -> None:
        """Run everything, and wait until all of it is ready to work.

        Raises:
            AlreadyRunningError: a system runs on this data folder.
            RedisServerError: the Redis here cannot read the data in it.
            StackError: a program did not become ready. Everything is stopped again.
        """
        self.folder.make()
        with lock(self.folder) as held:
            refuse_second_redis(self.folder)
            refuse_foreign_data(self.folder.redis)
            self._record.write(self.folder)
            config = self.folder.run / "supervisor.conf"
            write_config(config, self._programs.values(), self.ports.control, self._record.password)
            # Supervisor inherits the lock as its output, so the folder stays taken until it has ended, too.
            self._supervisor = subprocess.Popen(
                [sys.executable, "-P", "-m", "darkroom_local.lifeline", "run/supervisor.conf"],
                cwd=self.folder.root,
                env=environment(self.folder, self.ports, self._settings),
                stdin=subprocess.PIPE,
                stdout=held,
                stderr=held,
                start_new_session=True,  # Ctrl-C is for us; we tell it in our own way
            )
        try:
            self._start_in_order()
        except BaseException:
            self.stop()
            raise

    def wait(self) -> int:
        """Wait until the system has ended, and give supervisor's exit code: 0 where it was asked to end."""
        return self._supervisor.wait() if self._supervisor else 0

    def stop(self) -> None:
        """Stop everything, letting the images at hand be finished, and wait until it has ended. The data is kept."""
        if self._supervisor and self._supervisor.stdin:
            self._supervisor.stdin.close()  # its lifeline
            self._supervisor.wait()
            self._control.close()
        self._supervisor = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _start_in_order(self) -> None:
        self._wait_until(self._control.answers, "supervisor")
        for group in (INFRASTRUCTURE, SERVICES):
            self._control.start_group(group)
            for program in self._programs.values():
                if program.group == group:
                    self._wait_for(program.name)

    def _wait_for(self, name: str) -> None:
        self._wait_until(lambda: self._is_ready(name), name)

    def _is_ready(self, name: str) -> bool:
        process = self.processes[name]
        if process.has_failed:
            raise StackError(f"{name} did not start.\n{self.folder.last_lines(name)}")
        return process.is_up and self._readiness.is_healthy(self._programs[name].health)

    def _wait_until(self, is_ready: Callable[[], bool], name: str) -> None:
        deadline = time.monotonic() + self.patience
        while not is_ready():
            if time.monotonic() > deadline or self._has_ended():
                raise StackError(f"{name} did not become ready.\n{self.folder.last_lines(name)}")
            time.sleep(_POLL)

    def _has_ended(self) -> bool:
        return self._supervisor is None or self._supervisor.poll() is not None
