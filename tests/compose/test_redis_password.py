"""A password of Redis, whatever is in it, opens Redis to every service and is shown to nobody."""

import os
import subprocess
from collections.abc import Iterator
from urllib.parse import quote

import pytest
from darkroom_local import ports

from compose.system import ROOT

pytestmark = pytest.mark.compose

PROJECT = "darkroom-test-password"
PASSWORD = 'p/a:s@s#w%"b\\c s'
CONNECTED = {
    "flower": "Connected to redis://:**@redis",
    "worker": "Connected to redis://:**@redis",
    "redis": "Ready to",
}


@pytest.fixture(autouse=True)
def _healthy_before_each_test() -> None:
    """Do without the system that the other tests of this folder share."""


@pytest.fixture
def password() -> Iterator[str]:
    """Redis with a password, a worker and Flower, all healthy."""
    try:
        run(PASSWORD, "docker", "compose", "up", "--build", "--detach", "--wait", *CONNECTED)
        yield PASSWORD
    finally:
        run(PASSWORD, "docker", "compose", "down", "--volumes")


def run(password: str, *command: str) -> str:
    settings = {
        "COMPOSE_PROJECT_NAME": PROJECT,
        "DARKROOM_REDIS_PASSWORD": password,
        "DARKROOM_FLOWER_PORT": str(ports.anywhere()),
        "DARKROOM_WORKERS": "1",
        "DARKROOM_HEALTH_INTERVAL": "5s",
    }
    done = subprocess.run(
        command, cwd=ROOT, env=os.environ | settings, capture_output=True, text=True, timeout=600, check=True
    )
    return done.stdout + done.stderr


def test_every_service_connects_and_neither_arguments_nor_logs_hold_the_password(password: str) -> None:
    for service, sign in CONNECTED.items():
        (container,) = run(password, "docker", "compose", "ps", "--quiet", service).split()
        logged = run(password, "docker", "logs", container)
        assert sign in logged
        for shown in (logged, run(password, "docker", "top", container, "-eo", "pid,args")):
            for part in (password, quote(password, safe=""), password.split("/")[1]):
                assert part not in shown
