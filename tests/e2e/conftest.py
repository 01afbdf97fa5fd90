"""The whole system as local processes, started once for all tests of this folder."""

from collections.abc import Iterator

import pytest
from support.client import Client
from support.local_stack import LocalStack

# Waits that are short enough for a test.
SETTINGS = {"DARKROOM_RECOVERY_INTERVAL": "2", "DARKROOM_RECOVERY_GRACE": "2"}


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    """Every service, real, with a Redis and an inbox of its own."""
    with LocalStack(tmp_path_factory.mktemp("darkroom"), SETTINGS) as stack:
        yield stack


@pytest.fixture
def client(stack: LocalStack) -> Client:
    """A client of its API."""
    return Client(stack.api_url)
