"""What happens to a batch when its disk is full, or read-only, in the middle of it: it waits."""

import errno
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.local_stack import LocalStack
from support.waiting import wait_for

from faults.causes import pass_time
from faults.ledger import Ledger

pytestmark = pytest.mark.faults

SIZE = "32m"
SECONDS = 15


@pytest.fixture(scope="module")
def disk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A small disk of its own for images. Skips where this user cannot mount one."""
    folder = tmp_path_factory.mktemp("disk") / "blobs"
    folder.mkdir()
    mount = shutil.which("mount")
    if (
        mount is None
        or subprocess.run([mount, "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", folder], check=False).returncode
    ):
        pytest.skip("no disk can be mounted here")
    yield folder
    subprocess.run(["umount", "--lazy", folder], check=True)


@pytest.fixture(scope="module")
def ledger(disk: Path) -> Iterator[Ledger]:
    with LocalStack(disk.parent, {"DARKROOM_WORKER_CONCURRENCY": "2"}) as running:
        ledger = Ledger.opened(running)
        yield ledger


def test_it_is_full_for_a_while(disk: Path, ledger: Ledger) -> None:
    def fill(_: str) -> None:
        ballast = disk / "checks" / "ballast"
        fill_up(ballast)
        pass_time(SECONDS)
        ballast.unlink()

    ledger.run(f"the disk full for {SECONDS} s", fill, limit=60)


def test_it_is_read_only_for_a_while(disk: Path, ledger: Ledger) -> None:
    def protect(_: str) -> None:
        wait_for(lambda: remounted(disk, "ro"), limit=30, what="a moment in which nothing is being written")
        pass_time(SECONDS)
        assert remounted(disk, "rw")

    ledger.run(f"the disk read-only for {SECONDS} s", protect, limit=60)


def fill_up(ballast: Path) -> None:
    """Write a file that takes all there is."""
    try:
        with ballast.open("wb", buffering=0) as file:
            while True:
                file.write(bytes(4096))
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise


def remounted(disk: Path, mode: str) -> bool:
    """Whether the disk was given this mode: it cannot be protected while a file is open for writing."""
    command = ["mount", "-o", f"remount,{mode}", str(disk)]
    return subprocess.run(command, check=False, capture_output=True).returncode == 0
