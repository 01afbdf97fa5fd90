"""Response times while 1,000 clients never finish their requests, and whether a slow but steady upload succeeds."""

import http.client
import io
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from statistics import median
from urllib.parse import urlsplit

import requests
from PIL import Image
from support.live_api import live_api
from support.redis_server import RedisServer
from support.slow_clients import KINDS, never_reads, slow_clients

from bench.tables import show

CLIENTS = 1000
SECONDS = float(os.environ.get("BENCH_SECONDS", "25"))
"""How long to measure; long enough for the server to drop the first slow clients."""
TIMEOUT = 30.0
"""Seconds after which a normal client gives up."""
UPLOAD_BYTES = int(os.environ.get("BENCH_UPLOAD_BYTES", "25000000"))
UPLOAD_RATE = int(os.environ.get("BENCH_UPLOAD_RATE", "125000"))
"""Bytes per second: 1 Mbit/s."""
BOUNDARY = "a-boundary"


def form(size: int) -> bytes:
    """Return a multipart form with one JPEG, padded to this size."""
    file = io.BytesIO()
    Image.new("RGB", (64, 64), "red").save(file, "JPEG")
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="images"; filename="a.jpg"\r\n\r\n'.encode()
    tail = f"\r\n--{BOUNDARY}--\r\n".encode()
    return head + file.getvalue() + bytes(max(0, size - len(head) - len(file.getvalue()) - len(tail))) + tail


def large_original(url: str) -> str:
    """Return the path of a response too large for a socket's buffers."""
    body = form(20_000_000)
    headers = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
    response = requests.post(f"{url}/process_images", body, headers=headers, timeout=TIMEOUT)
    return f"/images/{response.json()['group_id']}/0?original=true"


def ask(url: str, method: str, path: str, body: bytes | Iterator[bytes] | None = None, length: int = 0) -> int:
    """Send a request over a new connection and return the status code."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=TIMEOUT)
    headers = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}", "Content-Length": str(length)}
    try:
        connection.request(method, path, body, headers if body else {})
        response = connection.getresponse()
        response.read()
        return response.status
    finally:
        connection.close()


def slowly(data: bytes, rate: int) -> Iterator[bytes]:
    """Yield the bytes in pieces, at this rate per second."""
    begun, piece = time.monotonic(), max(1, rate // 20)
    for position in range(0, len(data), piece):
        time.sleep(max(0.0, begun + position / rate - time.monotonic()))
        yield data[position : position + piece]


def milliseconds(action: Callable[[], int], seconds: float) -> str:
    """Return the median and the worst response time."""
    spent: list[float] = []
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        begun = time.monotonic()
        try:
            good = action() < 300
        except OSError:
            good = False
        if not good:
            return f"no response in {time.monotonic() - begun:.0f} s"
        spent.append((time.monotonic() - begun) * 1000)
        time.sleep(0.02)
    return f"{median(spent):.1f} / {max(spent):.0f}"


def measure(url: str) -> list[str]:
    """Measure a small response and a normal upload."""
    upload = form(300_000)
    return [
        milliseconds(partial(ask, url, "GET", "/healthz"), SECONDS),
        milliseconds(partial(ask, url, "POST", "/process_images", upload, len(upload)), 5),
    ]


def steady_upload(url: str) -> str:
    """Return the outcome of an upload at a low, steady rate."""
    body = form(UPLOAD_BYTES)
    begun = time.monotonic()
    status = ask(url, "POST", "/process_images", slowly(body, UPLOAD_RATE), len(body))
    return f"{status} after {time.monotonic() - begun:.0f} s"


def main() -> None:
    """Print the tables."""
    print(f"Milliseconds, median / worst, while {CLIENTS} clients ...\n")
    with tempfile.TemporaryDirectory() as folder, RedisServer(Path(folder)) as server:
        rows = []
        for kind in ("(none)", *KINDS, "never read"):
            with tempfile.TemporaryDirectory() as storage, live_api(server.url, Path(storage), {}) as api:
                slowness = KINDS.get(kind) or never_reads(large_original(api.url))
                with slow_clients(api.url, slowness, CLIENTS if kind != "(none)" else 0):
                    rows.append([kind, *measure(api.url)])
        show(["clients that", "GET /healthz", "POST /process_images, 300 kB"], rows)
        with tempfile.TemporaryDirectory() as storage, live_api(server.url, Path(storage), {}) as api:
            print(f"\n{UPLOAD_BYTES:,} bytes at {UPLOAD_RATE:,} a second: {steady_upload(api.url)}")


if __name__ == "__main__":
    main()
