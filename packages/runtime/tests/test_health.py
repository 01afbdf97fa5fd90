"""What a process says of its health, as the health check of its container reads it."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from darkroom_runtime.health import HealthFile
from darkroom_runtime.worker_health import trouble_of

SCRIPT = Path(__file__).parents[1] / "scripts/darkroom-health"

pytestmark = pytest.mark.skipif(not Path("/proc/uptime").exists(), reason="for containers, which have a /proc")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    return tmp_path


@pytest.fixture
def process() -> Iterator[subprocess.Popen[bytes]]:
    """A process that says once that it is well, and then waits."""
    code = "from darkroom_runtime.health import HealthFile as F; F().report(); print(flush=True); input()"
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as started:
        assert started.stdout
        started.stdout.readline()
        yield started
        started.kill()


def check(*arguments: str) -> tuple[bool, str]:
    result = subprocess.run([SCRIPT, *arguments], capture_output=True, text=True, timeout=10, check=False)
    return result.returncode == 0, result.stdout.strip()


def test_a_process_is_healthy_as_soon_as_it_says_so_and_no_longer_once_it_has_stopped() -> None:
    file = HealthFile()
    assert check() == (False, "The process has not started yet.")
    file.report()
    assert check() == (True, "")
    file.remove()
    assert check() == (False, "The process has not started yet.")


def test_a_process_in_trouble_is_unhealthy_and_says_why() -> None:
    HealthFile().report("The connection to Redis is lost.")
    assert check() == (False, "The connection to Redis is lost.")


def test_a_process_that_no_longer_reports_is_unhealthy() -> None:
    HealthFile().report(validity=-7)
    healthy, sentence = check()
    assert not healthy
    assert sentence.startswith("The process is stuck")


def test_a_killed_process_is_unhealthy_although_its_last_report_was_good(process: subprocess.Popen[bytes]) -> None:
    assert check() == (True, "")
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert check() == (False, "The process has not started yet.")


def test_what_an_earlier_process_said_is_forgotten_by_the_next(process: subprocess.Popen[bytes], folder: Path) -> None:
    process.kill()
    process.wait()
    (folder / f"darkroom-health.{os.getpid()}").write_text("of another process that had this number")
    HealthFile()
    assert list(folder.iterdir()) == []


def test_a_report_from_before_the_machine_was_restarted_counts_for_nothing(folder: Path) -> None:
    HealthFile().report()
    [file] = folder.iterdir()
    boot, until, _ = file.read_text().split()
    file.write_text(f"{boot[::-1]} {until} ok\n")
    assert not check()[0]


def test_a_worker_is_in_trouble_once_its_heartbeat_has_expired() -> None:
    assert trouble_of(14) is None
    assert trouble_of(16) == "No heartbeat has reached Redis for 16 s."
    assert trouble_of(float("inf")) == "No heartbeat has reached Redis yet."


def test_a_port_on_which_nothing_listens_is_unhealthy() -> None:
    assert check("1", "/readyz") == (False, "Nothing listens on port 1.")
