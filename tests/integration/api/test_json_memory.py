"""Large JSON bodies take turns with the memory, however many of them come at once."""

import base64
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests
from support.live_api import LiveApi, live_api
from support.pictures import encode, photograph

BODIES = 16
IMAGE_BYTES = 2_400_000
IMAGES = 5
FACTOR = 3
"""What a body may take of memory, in times its size."""
SLACK = 20_000_000
"""What a process may take beside, for threads, modules that are first used, and what they remember."""


def body() -> bytes:
    """Images in one JSON body of 16 MB."""
    picture = encode(photograph(100, 100))
    text = base64.b64encode(picture + bytes(IMAGE_BYTES - len(picture))).decode()
    return json.dumps({"images": [text] * IMAGES}).encode()


def processes(api: LiveApi) -> list[str]:
    """The processes that answer."""
    return Path(f"/proc/{api.process.pid}/task/{api.process.pid}/children").read_text().split()


def memory(process: str, what: str) -> int:
    """A figure of the process, in bytes (proc_pid_status(5))."""
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{what}:"))


def post(api: LiveApi, data: bytes) -> int:
    headers = {"Content-Type": "application/json"}
    return requests.post(f"{api.url}/process_images", data, headers=headers, timeout=300).status_code


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is read the way Linux tells it")
def test_many_large_json_bodies_at_once_take_the_memory_of_one_and_kill_nobody(redis_url: str, tmp_path: Path) -> None:
    data = body()
    settings = {
        "DARKROOM_API_WORKERS": "2",
        "DARKROOM_JSON_MEMORY": str(len(data)),
        "DARKROOM_JSON_WAIT": "300",
        "DARKROOM_TRANSFER_TIMEOUT": "300",
    }
    with live_api(redis_url, tmp_path, settings) as api, ThreadPoolExecutor(BODIES) as clients:
        before = {process: memory(process, "VmRSS") for process in processes(api)}
        assert set(clients.map(post, [api] * BODIES, [data] * BODIES)) == {202}
        assert processes(api) == list(before)
        growth = {process: memory(process, "VmHWM") - size for process, size in before.items()}
    assert max(growth.values()) <= FACTOR * len(data) + SLACK, growth
