"""What tasks work with. Opened once by the process and shared by its threads."""

from darkroom_records.blobs import BlobStorage
from darkroom_records.groups import GroupStore
from darkroom_records.storage import make_storage
from darkroom_records.task_store import TaskStore
from darkroom_records.uploads import UploadStore
from darkroom_runtime.once import once
from darkroom_runtime.redis_client import connect
from redis import Redis

from darkroom_maintenance.app import settings


@once
def redis() -> Redis:
    """Redis, with the usual timeouts: whatever fails here is due again within seconds."""
    return connect(settings)


@once
def groups() -> GroupStore:
    """The records of groups."""
    return GroupStore(redis())


@once
def uploads() -> UploadStore:
    """The records of images that were uploaded ahead."""
    return UploadStore(redis())


@once
def task_store() -> TaskStore:
    """The records of diagnostic tasks."""
    return TaskStore(redis())


@once
def storage() -> BlobStorage:
    """Where originals and results are kept. While it is away, nothing counts as deleted or missing."""
    return make_storage(settings)
