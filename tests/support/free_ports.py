"""Ports for the servers of tests, also where several processes run tests at once."""

import os

from darkroom_local import ports


def free_port() -> int:
    """A free port that no other process of this run of the tests chooses: each has a share of them all."""
    processes = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    own = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    return ports.anywhere(ports.UNPRIVILEGED[own::processes])
