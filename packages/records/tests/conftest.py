"""A real S3 server beside the folders of a test."""

from collections.abc import Iterator

import pytest
from support.s3_server import S3Server


@pytest.fixture(scope="session")
def s3_server() -> Iterator[S3Server]:
    """A server of S3 that lives for the whole run."""
    with S3Server() as server:
        yield server
