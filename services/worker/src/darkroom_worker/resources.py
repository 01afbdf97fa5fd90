"""What tasks work with. Opened once by each process of the pool, after its fork."""

from functools import cache

from darkroom_records.blobs import BlobStorage, LocalBlobStorage
from darkroom_records.groups import GroupStore
from darkroom_runtime.redis_client import connect
from redis import Redis

from darkroom_worker.app import settings


@cache
def redis() -> Redis:
    """Redis, waited for longer than in the API: a task that gives up must be sent again by somebody."""
    return connect(settings, patience=5.0, retries=30)


@cache
def groups() -> GroupStore:
    """The records of groups."""
    return GroupStore(redis())


@cache
def storage() -> BlobStorage:
    """Where originals and results are kept."""
    return LocalBlobStorage(settings.storage_dir, must_exist=True)
