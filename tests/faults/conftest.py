"""The whole system as local processes, quick to look for what was lost."""

from collections.abc import Iterator

import pytest
from support.client import Client
from support.local_stack import LocalStack
from support.pictures import encode, photograph


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
