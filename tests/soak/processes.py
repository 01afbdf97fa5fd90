"""The processes of the system: their memory, and the children that work."""

import subprocess
import time
from collections import defaultdict

from support.local_stack import LocalStack

_STARTING = 30
"""Seconds in which a process is only beginning, and takes what it always needs."""


def table() -> list[tuple[int, int, int, int]]:
    """The id, parent, group and resident kilobytes of each process of this machine."""
    listed = subprocess.run(["ps", "-eo", "pid=,ppid=,pgid=,rss="], capture_output=True, text=True, check=True).stdout
    return [(int(a), int(b), int(c), int(d)) for a, b, c, d in (line.split() for line in listed.splitlines())]


def children_of(parent: int) -> list[int]:
    """The processes that this one has started."""
    return [pid for pid, ppid, _, _ in table() if ppid == parent]


class Memory:
    """How much memory each program has gained since half a minute after its start; of several starts, the most."""

    def __init__(self, stack: LocalStack) -> None:
        self._stack = stack
        self._first: dict[tuple[str, int], float] = {}
        self.growth: dict[str, float] = {}

    def sample(self) -> None:
        """Look once."""
        megabytes: dict[int, float] = defaultdict(float)
        for _, _, group, kilobytes in table():
            megabytes[group] += kilobytes / 1024
        for name, process in self._stack.processes.items():
            if process.pid in megabytes and time.time() - process.since > _STARTING:
                now = megabytes[process.pid]
                first = self._first.setdefault((name, process.pid), now)
                self.growth[name] = max(self.growth.get(name, 0.0), now - first)
