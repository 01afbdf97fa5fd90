"""What happens to a batch when a program is told to end in the middle of it, as each upgrade does."""

import time

import pytest
from support.local_stack import LocalStack

from faults.ledger import Ledger, Slowness

pytestmark = pytest.mark.faults

BUSY = 3.0
"""How much slower the machine may be, because of others, for a program's time to end to be enough."""


@pytest.mark.parametrize("program", ["worker", "api", "maintenance", "outbound", "mailer", "scheduler", "flower"])
def test_a_program_is_told_to_end(usual: LocalStack, ledger: Ledger, program: str) -> None:
    took = 0.0

    def restart(_: str) -> None:
        nonlocal took
        began = time.monotonic()
        usual.stop_program(program)
        took = time.monotonic() - began
        usual.start_program(program)

    killings, slowness = killed_by_supervisor(usual), Slowness(usual)
    ledger.run(f"SIGTERM of {program}", restart)
    if slowness.factor < BUSY:
        assert killed_by_supervisor(usual) == killings, f"it did not end in time, but was killed after {took:.0f} s"


def killed_by_supervisor(stack: LocalStack) -> int:
    """How many programs did not end in time."""
    return (stack.folder.logs / "supervisor.log").read_text().count("with SIGKILL")
