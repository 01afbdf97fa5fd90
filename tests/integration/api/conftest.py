"""The API in this process; a worker and the maintenance service as processes of their own."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from darkroom_api.app import create_app
from darkroom_api.settings import ApiSettings
from darkroom_contracts.queues import Queue
from darkroom_records.groups import GroupStore
from flask import Flask
from flask.testing import FlaskClient
from support.live_consumer import live_consumer
from support.live_worker import live_worker


@pytest.fixture(scope="module")
def storage_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where originals and results are kept."""
    return tmp_path_factory.mktemp("storage")


@pytest.fixture(scope="module")
def worker(redis_url: str, storage_dir: Path) -> Iterator[None]:
    """A worker for all tests of a module. They must leave its Redis to it."""
    with live_worker(redis_url, storage_dir):
        yield


@pytest.fixture(scope="module")
def maintenance(redis_url: str, storage_dir: Path) -> Iterator[None]:
    """The maintenance service for all tests of a module. They must leave its Redis to it."""
    with live_consumer("maintenance", Queue.MAINTENANCE, redis_url, storage_dir):
        yield


@pytest.fixture
def app(redis_url: str, storage_dir: Path) -> Iterator[Flask]:
    """The application."""
    app = create_app(ApiSettings(redis_url=redis_url, storage_dir=storage_dir))
    yield app
    app.extensions["darkroom"].close()


@pytest.fixture
def http(app: Flask) -> FlaskClient:
    """Asks the application without a network."""
    return app.test_client()


@pytest.fixture
def store(app: Flask) -> GroupStore:
    """The application's records of groups, with whatever is in them."""
    found: GroupStore = app.extensions["darkroom"].groups
    return found
