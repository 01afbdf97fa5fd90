"""The worker as it is run for real: with a pool of processes of its own."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from darkroom_contracts.queues import Queue

from support.live_consumer import live_consumer


@contextmanager
def live_worker(redis_url: str, storage: Path, settings: Mapping[str, str] | None = None) -> Iterator[None]:
    """Run a worker with one process in its pool until the block ends."""
    one_process = {"DARKROOM_WORKER_CONCURRENCY": "1"}
    with live_consumer("worker", Queue.IMAGES, redis_url, storage, one_process | dict(settings or {})):
        yield
