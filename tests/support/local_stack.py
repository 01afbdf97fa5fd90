"""The whole system as local processes, out of the way of anything else here, with programs to stop and kill."""

import os
import signal
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from darkroom_local import stack
from darkroom_local.ports import Ports

from support.free_ports import free_port


def random_ports() -> Ports:
    """Return ports that nobody is likely to expect something on."""
    api, flower, redis, smtp, control = (free_port() for _ in range(5))
    return Ports(api, flower, redis, smtp, control)


class LocalStack(stack.LocalStack):
    """A system of a test's own, as a context manager.

    Args:
        data_dir: where all its data is kept; made if it is not there.
        settings: of the services, as environment variables, beside those this process has been given.
    """

    patience = 300.0  # however busy the machine is

    def __init__(self, data_dir: Path, settings: Mapping[str, str] = MappingProxyType({})) -> None:
        super().__init__(data_dir, settings, random_ports())

    def start_program(self, name: str) -> None:
        """Start one program that was stopped, and wait until it is ready."""
        self._control.start(self._programs[name])
        self._wait_for(name)

    def stop_program(self, name: str) -> None:
        """Stop one program as an operator would. It stays stopped."""
        self._control.stop(self._programs[name])

    def kill_program(self, name: str) -> None:
        """End a program and all its children as a crash would. Supervisor starts it again."""
        os.killpg(self.processes[name].pid, signal.SIGKILL)

    def children(self, name: str) -> list[int]:
        """Return the processes that a program has started, by their ids."""
        pid = self.processes[name].pid
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()] if pid else []

    def is_healthy(self, name: str) -> bool:
        """Return whether a program runs and says that it is well."""
        process = self.processes[name]
        return process.is_up and self._readiness.is_healthy(self._programs[name].health)
