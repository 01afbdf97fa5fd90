"""Large uploads go to the storage as they arrive, not through memory."""

import http.client
import io
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from PIL import Image
from support.live_api import LiveApi, live_api

IMAGES = 20
IMAGE_BYTES = 24_900_000
MOST_GROWTH = 32_000_000
BOUNDARY = "a-boundary-of-the-tests"


def body() -> Iterator[bytes]:
    """A form of twenty large images: a picture each, and what is allowed to follow it."""
    file = io.BytesIO()
    Image.new("RGB", (64, 64), "red").save(file, "JPEG")
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="images"; filename="a.jpg"\r\n\r\n'.encode()
    piece = bytes(100_000)
    for _ in range(IMAGES):
        yield head + file.getvalue()
        for _ in range((IMAGE_BYTES - len(file.getvalue())) // len(piece)):
            yield piece
        yield b"\r\n"
    yield f"--{BOUNDARY}--\r\n".encode()


def upload(api: LiveApi) -> int:
    """Send the form; the status of the answer."""
    connection = http.client.HTTPConnection(urlsplit(api.url).netloc, timeout=120)
    headers = {
        "Content-Type": f"multipart/form-data; boundary={BOUNDARY}",
        "Content-Length": str(sum(len(piece) for piece in body())),
    }
    connection.request("POST", "/process_images", body(), headers)
    status = connection.getresponse().status
    connection.close()
    return status


def memory(process: int, what: str) -> int:
    """A figure of the process, in bytes (proc_pid_status(5))."""
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{what}:"))


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is read the way Linux tells it")
def test_half_a_gigabyte_comes_in_through_little_memory(redis_url: str, tmp_path: Path) -> None:
    with live_api(redis_url, tmp_path) as api:
        (worker,) = Path(f"/proc/{api.process.pid}/task/{api.process.pid}/children").read_text().split()
        before = memory(int(worker), "VmRSS")
        assert upload(api) == 202
        assert memory(int(worker), "VmHWM") - before <= MOST_GROWTH
