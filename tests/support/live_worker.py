"""The worker as it is run for real: with a pool of processes of its own."""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from darkroom_contracts.keys import WORKERS
from darkroom_contracts.queues import Queue
from darkroom_runtime.redis_client import connect
from darkroom_runtime.settings import Settings

from support.waiting import wait_for

_NODE = "images@test"
_QUEUES = f"{Queue.IMAGES},{Queue.MAINTENANCE}"


@contextmanager
def live_worker(redis_url: str, storage: Path, settings: Mapping[str, str] | None = None) -> Iterator[None]:
    """Run a worker with one process in its pool, on all queues of its service, until the block ends."""
    environment = os.environ | {
        "DARKROOM_REDIS_URL": redis_url,
        "DARKROOM_STORAGE_DIR": str(storage),
        "DARKROOM_WORKER_CONCURRENCY": "1",
        "DARKROOM_LOG_LEVEL": "warning",
    }
    command = [sys.executable, "-m", "celery", "-A", "darkroom_worker.app", "worker", "-Q", _QUEUES, "-n", _NODE]
    with (
        connect(Settings(redis_url=redis_url)) as redis,
        subprocess.Popen(command, env=environment | dict(settings or {})) as process,
    ):

        def is_ready() -> bool:
            assert process.poll() is None, "the worker ended while it was starting"
            return bool(redis.zcard(WORKERS))

        try:
            wait_for(is_ready, limit=30, what="the worker to start")
            yield
        finally:
            process.terminate()
