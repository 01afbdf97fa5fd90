"""A service that takes tasks from a queue, as it is run for real: a process of its own."""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from darkroom_contracts.queues import Queue
from darkroom_runtime.redis_client import connect
from darkroom_runtime.settings import Settings
from darkroom_runtime.workers import heartbeat_key

from support.waiting import wait_for


@contextmanager
def live_consumer(
    service: str,
    queue: Queue,
    redis_url: str,
    storage: Path,
    settings: Mapping[str, str] | None = None,
    options: Sequence[str] = (),
    *,
    output: IO[bytes] | None = None,
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a service that watches one queue until the block ends.

    Args:
        service: the name of its folder, such as ``worker``, or a module with a Celery application, such as
            ``support.stuck_service``.
        queue: its queue, which its Celery node is named after.
        redis_url: of the Redis it works with.
        storage: the folder with originals and results.
        settings: further ones, as environment variables.
        options: of Celery's command.
        output: where it writes its log, if it is to be read.
    """
    node = f"{queue}@test"
    application = service if "." in service else f"darkroom_{service}.app"
    environment = os.environ | {
        "DARKROOM_REDIS_URL": redis_url,
        "DARKROOM_STORAGE_DIR": str(storage),
        "DARKROOM_LOG_LEVEL": "warning",
    }
    command = [sys.executable, "-m", "celery", "-A", application, "worker", "-Q", queue, "-n", node]
    command += options
    with (
        connect(Settings(redis_url=redis_url)) as redis,
        subprocess.Popen(
            command, env=environment | dict(settings or {}), stdout=output, stderr=output and subprocess.STDOUT
        ) as process,
    ):

        def is_ready() -> bool:
            assert process.poll() is None, f"the {service} ended while it was starting"
            return bool(redis.keys(f"{heartbeat_key(node)}/*"))

        try:
            wait_for(is_ready, limit=300, what=f"the {service} to start")
            yield process
        finally:
            process.terminate()
