"""The whole system as local processes, quick to give up and to look for what was lost."""

from collections.abc import Iterator

import pytest
from darkroom_local.stack import LocalStack
from support.client import Client

SECONDS_FOR_AN_IMAGE = 15


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    """One process works on images, so that it is known which."""
    settings = {
        "DARKROOM_WORKER_CONCURRENCY": "1",
        "DARKROOM_IMAGE_TIME_LIMIT": str(SECONDS_FOR_AN_IMAGE),
        "DARKROOM_RECOVERY_INTERVAL": "5",
        "DARKROOM_RECOVERY_GRACE": "5",
    }
    with LocalStack(tmp_path_factory.mktemp("stack"), settings) as running:
        yield running


@pytest.fixture(scope="session")
def client(stack: LocalStack) -> Client:
    """A client of its API."""
    return Client(stack.api_url)
