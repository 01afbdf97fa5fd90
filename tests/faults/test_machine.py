"""What happens to a batch when the machine's clock jumps, or its disk is slow, in the middle of it.

The clock and the disk are those of one system's processes, Redis included: a library is loaded into each of them.
"""

import shutil
import struct
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.local_stack import LocalStack

from faults.causes import pass_time
from faults.ledger import Ledger

COMPILER = shutil.which("cc")

pytestmark = [pytest.mark.faults, pytest.mark.skipif(COMPILER is None, reason="needs a compiler of C")]


class Knobs:
    """What can be set for all processes that have the library loaded, at any time.

    Args:
        file: that they read it from.
    """

    def __init__(self, file: Path) -> None:
        self.file = file
        file.write_bytes(bytes(16))

    def turn(self, *, clock_ahead: float = 0, disk_late: float = 0) -> None:
        """Set both, in seconds."""
        with self.file.open("r+b") as file:
            file.write(struct.pack("dd", clock_ahead, disk_late))


@pytest.fixture(scope="module")
def knobs(tmp_path_factory: pytest.TempPathFactory) -> Knobs:
    return Knobs(tmp_path_factory.mktemp("knobs") / "knobs")


@pytest.fixture(scope="module")
def ledger(knobs: Knobs, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ledger]:
    library = knobs.file.with_name("preload.so")
    source = Path(__file__).with_name("preload.c")
    subprocess.run([str(COMPILER), "-shared", "-fPIC", "-O2", "-o", library, source], check=True)
    settings = {"LD_PRELOAD": str(library), "DARKROOM_FAULTS": str(knobs.file), "DARKROOM_WORKER_CONCURRENCY": "2"}
    with LocalStack(tmp_path_factory.mktemp("machine"), settings) as running:
        ledger = Ledger.opened(running)
        yield ledger


def test_the_clock_jumps_an_hour_ahead(knobs: Knobs, ledger: Ledger) -> None:
    ledger.run("the clock jumps an hour ahead", lambda _: knobs.turn(clock_ahead=3600))


def test_the_clock_jumps_an_hour_back(knobs: Knobs, ledger: Ledger) -> None:
    knobs.turn(clock_ahead=3600)
    ledger.check_alive()
    ledger.run("the clock jumps an hour back", lambda _: knobs.turn())


def test_the_disk_is_slow(knobs: Knobs, ledger: Ledger) -> None:
    def slow(_: str) -> None:
        knobs.turn(disk_late=0.5)
        pass_time(10)
        knobs.turn()

    ledger.run("the disk takes half a second for each file, for 10 s", slow)
