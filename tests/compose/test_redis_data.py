"""Redis in its container: the data it starts on, and how often it writes to the disk."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from darkroom_local.redis_server import find_server
from support.redis_server import RedisServer
from support.waiting import wait_for

from compose.system import ROOT

pytestmark = pytest.mark.compose

PROJECT = "darkroom-test-redis"


def run(*command: str, check: bool = True, **settings: str) -> "subprocess.CompletedProcess[str]":
    """Run a command on the project."""
    return subprocess.run(
        command,
        cwd=ROOT,
        env=os.environ | {"COMPOSE_PROJECT_NAME": PROJECT} | settings,
        capture_output=True,
        text=True,
        timeout=300,
        check=check,
    )


def redis(*command: str) -> str:
    """What Redis answers."""
    return run("docker", "compose", "exec", "-T", "redis", "redis-cli", *command).stdout


@pytest.fixture(autouse=True)
def project() -> Iterator[None]:
    """Nothing is left of it."""
    yield
    run("docker", "compose", "down", "--volumes")


def put_into_volume(folder: Path) -> None:
    """Make the files of a folder the data of Redis, as a restore does."""
    volumes = (f"--volume={PROJECT}_redis:/data", f"--volume={folder}:/backup:ro")
    copy = "cp -r /backup/. /data; chown -R redis:redis /data"
    run("docker", "run", "--rm", "--user=root", *volumes, "redis:8.4", "sh", "-ec", copy)


def test_strict_durability_has_every_write_on_the_disk_before_it_is_confirmed() -> None:
    run("docker", "compose", "up", "--detach", "--wait", "redis", DARKROOM_DURABILITY="strict")
    assert redis("config", "get", "appendfsync").split() == ["appendfsync", "always"]
    redis("set", "photograph", "kept")
    run("docker", "compose", "up", "--detach", "--wait", "redis")  # as by default, and on its own data
    assert redis("config", "get", "appendfsync").split() == ["appendfsync", "everysec"]
    assert redis("get", "photograph").strip() == "kept"


def test_data_of_valkey_is_refused_with_what_to_do(tmp_path: Path) -> None:
    if not subprocess.run([find_server(), "--version"], capture_output=True, check=True).stdout.startswith(b"Valkey"):
        pytest.skip("the server of this machine is a Redis")
    with RedisServer(tmp_path):
        pass
    put_into_volume(tmp_path)
    sentence = "The data in /data is of Valkey"
    made = run("make", "up", check=False)
    assert made.returncode
    assert sentence in made.stderr
    assert "Building" not in made.stdout
    run("docker", "compose", "up", "--detach", "redis")
    wait_for(lambda: sentence in run("docker", "compose", "logs", "redis").stdout, limit=60, what="its refusal")
