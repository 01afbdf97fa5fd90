"""The whole system in containers, started once for all tests of this folder."""

from collections.abc import Iterator

import pytest
from support.client import Client

from compose.system import ComposeSystem


@pytest.fixture(scope="session")
def system() -> Iterator[ComposeSystem]:
    """Three workers and two of each other service that may be doubled, all healthy."""
    with ComposeSystem(scale={"worker": 3, "mailer": 2, "scheduler": 2}) as running:
        yield running


@pytest.fixture(scope="session")
def client(system: ComposeSystem) -> Client:
    """A client of its API."""
    return Client(system.url("api", 8000))


@pytest.fixture(autouse=True)
def _healthy_before_each_test(request: pytest.FixtureRequest) -> None:
    """Bring back what the test before may have killed."""
    if "system" in request.fixturenames:
        system: ComposeSystem = request.getfixturevalue("system")
        system.up()
