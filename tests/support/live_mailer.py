"""The mailer as it is run for real: a process that takes tasks from the queue."""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from darkroom_contracts.keys import worker_heartbeat
from darkroom_contracts.queues import Queue
from darkroom_runtime.redis_client import connect
from darkroom_runtime.settings import Settings

from support.waiting import wait_for

_NODE = "mail@test"


@contextmanager
def live_mailer(
    redis_url: str, storage: Path, smtp_port: int, settings: Mapping[str, str] | None = None
) -> Iterator[None]:
    """Run a mailer that hands its mail to a server on this port until the block ends."""
    environment = os.environ | {
        "DARKROOM_REDIS_URL": redis_url,
        "DARKROOM_STORAGE_DIR": str(storage),
        "DARKROOM_SMTP_PORT": str(smtp_port),
        "DARKROOM_LOG_LEVEL": "warning",
    }
    command = [sys.executable, "-m", "celery", "-A", "darkroom_mailer.app", "worker", "-Q", Queue.MAIL, "-n", _NODE]
    with (
        connect(Settings(redis_url=redis_url)) as redis,
        subprocess.Popen(command, env=environment | dict(settings or {})) as process,
    ):

        def is_ready() -> bool:
            assert process.poll() is None, "the mailer ended while it was starting"
            return bool(redis.keys(f"{worker_heartbeat(_NODE)}/*"))

        try:
            wait_for(is_ready, limit=30, what="the mailer to start")
            yield
        finally:
            process.terminate()
