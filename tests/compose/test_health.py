"""Each health check notices a process that is stopped, and one that Redis is away from, and notices when it is over."""

import subprocess
from collections.abc import Iterable

import pytest
from support.waiting import wait_for

from compose.system import ComposeSystem

pytestmark = pytest.mark.compose

OURS = ("api", "worker", "maintenance", "scheduler", "mailer", "outbound", "flower")
LIMIT = 60.0
"""Seconds; what a process said last holds for 20 at most."""


def check(system: ComposeSystem, container: str) -> bool:
    """Run a container's own health check now, whenever its next turn is."""
    kind, *words = system.inspect(container)["Config"]["Healthcheck"]["Test"]
    command = ["sh", "-c", *words] if kind == "CMD-SHELL" else words
    try:
        system.run_in(container, *command)
    except subprocess.CalledProcessError:  # or it is being started again
        return False
    return True


def wait_until(system: ComposeSystem, containers: Iterable[str], *, healthy: bool) -> None:
    """Wait until all these checks say the same."""
    for container in containers:
        service = system.inspect(container)["Config"]["Labels"]["com.docker.compose.service"]
        what = f"the {service} to be {'healthy' if healthy else 'unhealthy'}"
        wait_for(lambda: check(system, container) is healthy, limit=LIMIT, what=what)  # noqa: B023 - done with at once


def test_a_process_that_is_stopped_is_unhealthy_until_it_goes_on(system: ComposeSystem) -> None:
    containers = [system.containers(service)[0] for service in (*OURS, "inbox")]
    wait_until(system, containers, healthy=True)
    for container in containers:
        system.run_in(container, "sh", "-c", "kill -STOP -1")  # all but its init and this shell
    try:
        wait_until(system, containers, healthy=False)
    finally:
        for container in containers:
            system.run_in(container, "sh", "-c", "kill -CONT -1")
    wait_until(system, containers, healthy=True)


def test_without_redis_all_of_ours_are_unhealthy_until_it_is_back(system: ComposeSystem) -> None:
    containers = [container for service in OURS for container in system.containers(service)]
    [redis] = system.containers("redis")
    system.run_in(redis, "sh", "-c", "kill -STOP -1")
    try:
        wait_until(system, [redis, *containers], healthy=False)
    finally:
        system.run_in(redis, "sh", "-c", "kill -CONT -1")
    wait_until(system, [redis, *containers], healthy=True)
