"""What a worker takes of its machine."""

from pathlib import Path

import pytest
from darkroom_worker import machine
from darkroom_worker.config import celery_config
from darkroom_worker.settings import WorkerSettings

GB = 1_000_000_000


@pytest.fixture
def control_groups(tmp_path: Path) -> Path:
    """A folder in the place of the kernel's."""
    (tmp_path / "cgroup").mkdir()
    return tmp_path / "cgroup"


def limited(control_groups: Path, group: str, file: str, limit: str, of_process: str) -> int:
    """The memory of a process in this group, which has this limit."""
    folder = control_groups / group
    folder.mkdir(parents=True, exist_ok=True)
    (folder / file).write_text(f"{limit}\n")
    (control_groups / "own").write_text(of_process)
    return machine.memory(8 * GB, of_process=control_groups / "own", cgroups=control_groups)


@pytest.mark.parametrize("group", ["", "docker", "docker/abc"])
def test_the_limit_of_its_container_or_of_what_that_is_in_holds(control_groups: Path, group: str) -> None:
    assert limited(control_groups, group, "memory.max", str(GB), "0::/docker/abc\n") == GB


def test_the_limit_of_the_older_kind_of_control_group_holds(control_groups: Path) -> None:
    own = "5:memory:/docker/abc\n4:cpu,cpuacct:/docker/abc\n"
    assert limited(control_groups, "memory/docker/abc", "memory.limit_in_bytes", str(GB), own) == GB


def test_without_a_limit_it_takes_what_it_is_allowed(control_groups: Path) -> None:
    assert limited(control_groups, "", "memory.max", "max", "0::/\n") == 8 * GB
    assert machine.memory(GB, of_process=control_groups / "none", cgroups=control_groups) == GB


def test_by_default_there_is_one_process_for_each_processor(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DARKROOM_WORKER_CONCURRENCY", raising=False)
    monkeypatch.setattr(machine, "processors", lambda: 6)
    assert celery_config(WorkerSettings(worker_memory="4g"))["worker_concurrency"] == 6


def test_processes_leave_half_of_the_memory_to_images() -> None:
    assert machine.pool_size(64, 2 * GB) == 11
    assert machine.image_bytes(2 * GB, 11) >= GB
    assert machine.pool_size(64, GB // 8) == 1


def test_the_setting_wins_over_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DARKROOM_WORKER_CONCURRENCY", "3")
    monkeypatch.setattr(machine, "processors", lambda: 1)
    assert WorkerSettings().processes == 3
