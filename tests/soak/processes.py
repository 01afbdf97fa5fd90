"""The memory of the processes of the system."""

import subprocess
import time
from collections import defaultdict

from support.local_stack import LocalStack

_STARTING = 30
"""Seconds in which a process is only beginning, and takes what it always needs."""


def table() -> list[tuple[int, int]]:
    """The group and the resident kilobytes of each process of this machine."""
    listed = subprocess.run(["ps", "-eo", "pgid=,rss="], capture_output=True, text=True, check=True).stdout
    return [(int(group), int(kilobytes)) for group, kilobytes in (line.split() for line in listed.splitlines())]


class Memory:
    """How much memory each program has gained since half a minute after its start; of several starts, the most."""

    def __init__(self, stack: LocalStack) -> None:
        self._stack = stack
        self._first: dict[tuple[str, int], float] = {}
        self.growth: dict[str, float] = {}

    def sample(self) -> None:
        """Look once."""
        megabytes: dict[int, float] = defaultdict(float)
        for group, kilobytes in table():
            megabytes[group] += kilobytes / 1024
        for name, process in self._stack.processes.items():
            if process.pid in megabytes and time.time() - process.since > _STARTING:
                now = megabytes[process.pid]
                first = self._first.setdefault((name, process.pid), now)
                self.growth[name] = max(self.growth.get(name, 0.0), now - first)
