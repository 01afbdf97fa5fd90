"""`make up` with a Docker Engine, as somebody at a terminal has it."""

import os
import re
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from darkroom_local import ports
from support.waiting import wait_for

from compose.system import ROOT

pytestmark = pytest.mark.compose

PROJECT = "darkroom-test-up"


@pytest.fixture(scope="module")
def environment() -> Iterator[dict[str, str]]:
    """A project and ports of its own; gone with its volumes in the end."""
    settings = {
        "COMPOSE_PROJECT_NAME": PROJECT,
        "DARKROOM_PORT": str(ports.anywhere()),
        "DARKROOM_FLOWER_PORT": str(ports.anywhere()),
        "DARKROOM_INBOX_PORT": str(ports.anywhere()),
        "DARKROOM_HEALTH_INTERVAL": "10s",
        "DARKROOM_WORKERS": "1",
    }
    yield os.environ | settings
    subprocess.run(["docker", "compose", "-p", PROJECT, "down", "--volumes"], cwd=ROOT, check=True)


def test_a_taken_port_is_named_with_its_setting_before_anything_starts(environment: dict[str, str]) -> None:
    with socket.create_server((ports.HOST, ports.anywhere())) as server:
        taken = str(server.getsockname()[1])
        taken_port = environment | {"DARKROOM_FLOWER_PORT": taken}
        made = subprocess.run(
            ["make", "up"], cwd=ROOT, env=taken_port, capture_output=True, text=True, timeout=120, check=False
        )
    assert made.returncode
    assert f"Port {taken}, which flower is to be published on, is in use" in made.stderr
    assert "DARKROOM_FLOWER_PORT" in made.stderr
    assert "Building" not in made.stdout


def test_it_says_when_it_is_ready_and_where_and_then_only_what_is_wrong(
    environment: dict[str, str], tmp_path: Path
) -> None:
    said = tmp_path / "said"
    with (
        said.open("wb") as output,
        subprocess.Popen(
            ["make", "up"], cwd=ROOT, env=environment, stdout=output, stderr=output, start_new_session=True
        ) as terminal,
    ):
        try:
            wait_for(lambda: "is ready" in said.read_text() or terminal.poll() is not None, limit=900, what="readiness")
            block = said.read_text()
            assert terminal.poll() is None, block
            urls = re.findall(r"http://\S+", block)
            assert len(urls) == 4
            assert all(requests.get(url, timeout=10).ok for url in urls)
            assert len(block.splitlines()) < 30
            subprocess.run(["docker", "compose", "-p", PROJECT, "kill", "redis"], cwd=ROOT, check=True)
            wait_for(lambda: re.search(r"-1: (warning|error)", said.read_text()), limit=60, what="the trouble")
            assert "info" not in said.read_text().removeprefix(block)
        finally:
            if terminal.poll() is None:
                os.killpg(terminal.pid, signal.SIGINT)  # as Ctrl-C, which all programs of the terminal get
        terminal.wait(timeout=120)
    assert "Its data is kept" in said.read_text()
