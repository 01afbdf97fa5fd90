"""The API as it is run for real: under gunicorn, with processes of its own."""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import requests
from darkroom_local import ports

from support.free_ports import free_port
from support.waiting import wait_for


@dataclass(frozen=True, slots=True)
class LiveApi:
    """A running API."""

    url: str
    process: subprocess.Popen[bytes]

    def is_ready(self) -> bool:
        """Whether it can take work in. Fails where it has ended."""
        assert self.process.poll() is None, "the API ended while it was starting"
        try:
            return requests.get(f"{self.url}/readyz", timeout=5).ok
        except (requests.ConnectionError, requests.Timeout):
            return False


@contextmanager
def live_api(redis_url: str, storage: Path, settings: Mapping[str, str] | None = None) -> Iterator[LiveApi]:
    """Run the API on a free port with one worker process until the block ends."""
    port = free_port()
    environment = os.environ | {
        "DARKROOM_REDIS_URL": redis_url,
        "DARKROOM_STORAGE_DIR": str(storage),
        "DARKROOM_API_PORT": str(port),
        "DARKROOM_API_WORKERS": "1",
        "DARKROOM_LOG_LEVEL": "warning",
    }
    command = [sys.executable, "-m", "gunicorn", "--config", "python:darkroom_api.gunicorn_config"]
    with subprocess.Popen([*command, "darkroom_api.wsgi:app"], env=environment | dict(settings or {})) as process:
        api = LiveApi(f"http://{ports.HOST}:{port}", process)
        try:
            wait_for(api.is_ready, limit=300, what="the API to start")
            yield api
        finally:
            process.terminate()
