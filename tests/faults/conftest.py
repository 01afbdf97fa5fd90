"""The whole system as local processes, quick to look for what was lost."""

from collections.abc import Iterator

import pytest
from support.client import Client
from support.local_stack import LocalStack
from support.pictures import encode, photograph

from faults.ledger import FIGURES, Ledger


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    """One process works on images, so that it is known which."""
    settings = {
        "DARKROOM_WORKER_CONCURRENCY": "1",
        "DARKROOM_RECOVERY_INTERVAL": "5",
        "DARKROOM_RECOVERY_GRACE": "5",
    }
    with LocalStack(tmp_path_factory.mktemp("stack"), settings) as running:
        yield running


@pytest.fixture(scope="session")
def large() -> bytes:
    """A photograph that takes many seconds to work on: 48 megapixels."""
    return encode(photograph(800, 600).resize((8000, 6000)))


@pytest.fixture(scope="session")
def client(stack: LocalStack) -> Client:
    """A client of its API."""
    return Client(stack.api_url)


@pytest.fixture(scope="session")
def usual(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    """A system with the settings that everybody has, on two processors."""
    with LocalStack(tmp_path_factory.mktemp("usual"), {"DARKROOM_WORKER_CONCURRENCY": "2"}) as running:
        yield running


@pytest.fixture(scope="session")
def ledger(usual: LocalStack) -> Ledger:
    """An account of the batches on it."""
    return Ledger.opened(usual)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the figures of all faults, as docs/reliability.md has them."""
    if not FIGURES:
        return
    terminalreporter.section("faults survived")
    terminalreporter.write_line(
        "| fault | images | longest pause, s | all whole after, s | requests accepted / refused |"
    )
    terminalreporter.write_line("| --- | --- | --- | --- | --- |")
    for one in FIGURES:
        row = f"| {one.fault} | {one.images} | {one.pause:.1f} | {one.whole:.1f} | {one.accepted} / {one.refused} |"
        terminalreporter.write_line(row)
