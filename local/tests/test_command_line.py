"""Starting and stopping the whole system from the command line."""

import os
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from darkroom_local import ports
from darkroom_local.folder import Folder
from darkroom_local.record import Record
from support.free_ports import free_port
from support.waiting import wait_for

pytestmark = [pytest.mark.slow, pytest.mark.alone]

PROGRAMS = {"api", "worker", "maintenance", "scheduler", "mailer", "outbound", "flower", "redis", "inbox"}


def run(command: str, data: Path) -> subprocess.CompletedProcess[str]:
    arguments = [sys.executable, "-m", "darkroom_local", command, "--data", str(data)]
    return subprocess.run(arguments, capture_output=True, text=True, timeout=240, check=False)


class Terminal:
    """Somebody's terminal in which the system runs, or has run."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self.port = free_port()
        self._output = data.with_suffix(".out")
        arguments = ["up", "--data", str(data), "--port", str(self.port)]
        with self._output.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "darkroom_local", *arguments], stdout=output, stderr=output
            )

    @property
    def output(self) -> str:
        return self._output.read_text()

    def wait_until_ready(self) -> None:
        wait_for(
            lambda: "is ready" in self.output or self.process.poll() is not None, limit=240, what="the system to be up"
        )
        assert self.process.poll() is None, self.output

    def processes(self) -> dict[str, int]:
        """The ids of the programs' process groups."""
        lines = [line.split() for line in run("status", self.data).stdout.splitlines()]
        return {words[0]: int(words[2]) for words in lines if words[0] in PROGRAMS}

    def redis(self) -> redis.Redis:
        record = Record.read(Folder(self.data))
        assert record
        return redis.Redis(host=ports.HOST, port=record.ports.redis, decode_responses=True)


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    terminal = Terminal(tmp_path / "data")
    yield terminal
    run("down", terminal.data)
    terminal.process.wait(timeout=60)


def exists(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.parametrize("setting", ["DARKROOM_PORT", "DARKROOM_FLOWER_PORT"])
def test_a_taken_port_is_named_with_its_setting(tmp_path: Path, setting: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server((ports.HOST, free_port())) as server:
        monkeypatch.setenv(setting, str(server.getsockname()[1]))
        refused = run("up", tmp_path / "data")
    assert refused.returncode == 1
    assert "in use by another program" in refused.stderr
    assert f"with {setting}, in .env" in refused.stderr


@pytest.mark.parametrize("setting", ["DARKROOM_PORT", "DARKROOM_FLOWER_PORT"])
def test_what_is_no_port_is_named_with_its_setting(
    tmp_path: Path, setting: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(setting, "many")
    assert run("up", tmp_path / "data").stderr == f"{setting} must be a port from 1 to 65535, not 'many'.\n"
    assert "is not running" in run("status", tmp_path / "data").stderr


def test_up_says_where_everything_is_and_ctrl_c_ends_all_of_it(terminal: Terminal) -> None:
    terminal.wait_until_ready()
    with urllib.request.urlopen(f"http://127.0.0.1:{terminal.port}/readyz", timeout=10) as answer:
        assert answer.status == 200
    assert f"http://127.0.0.1:{terminal.port}/docs" in terminal.output
    processes = terminal.processes()
    assert set(processes) == PROGRAMS

    terminal.process.send_signal(signal.SIGINT)

    assert terminal.process.wait(timeout=90) == 0
    assert "Its data is kept" in terminal.output
    assert not any(exists(group) for group in processes.values())


def test_a_second_system_on_the_same_folder_is_refused_and_down_keeps_the_data(terminal: Terminal) -> None:
    terminal.wait_until_ready()
    second = run("up", terminal.data)
    assert second.returncode == 1
    assert "already" in second.stderr
    with terminal.redis() as client:
        client.set("photograph", "kept")

    assert run("down", terminal.data).returncode == 0

    assert terminal.process.wait(timeout=10) == 0
    again = Terminal(terminal.data)
    again.wait_until_ready()
    with again.redis() as client:
        assert client.get("photograph") == "kept"
    assert run("down", again.data).returncode == 0
    assert again.process.wait(timeout=10) == 0


def test_nothing_outlives_a_terminal_that_was_killed(terminal: Terminal) -> None:
    terminal.wait_until_ready()
    processes = terminal.processes()
    terminal.process.kill()
    for name, group in processes.items():
        wait_for(lambda group=group: not exists(group), limit=60, what=f"the end of {name}")  # type: ignore[misc]  # mypy cannot infer a lambda's default


def test_a_wrong_setting_is_named_and_nothing_is_left_running(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DARKROOM_IMAGE_TIME_LIMIT", "soon")
    refused = run("up", tmp_path / "data")
    assert refused.returncode == 1
    assert "DARKROOM_IMAGE_TIME_LIMIT" in refused.stderr
    assert "is not running" in run("status", tmp_path / "data").stderr


def test_down_where_nothing_runs_says_so(tmp_path: Path) -> None:
    answer = run("down", tmp_path / "data")
    assert answer.returncode == 0
    assert "is not running" in answer.stdout
