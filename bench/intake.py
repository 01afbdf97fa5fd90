"""The cost of submitting, polling and waiting: time, Redis memory and traffic, memory of the API."""

import base64
import io
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median

import requests
from PIL import Image
from redis import Redis
from support.client import Client
from support.local_stack import LocalStack
from support.pictures import encode, photograph

from bench.cpu import cpu_seconds
from bench.tables import show

IMAGES = 1000
MEGABYTE = 1_000_000


def pixel() -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (1, 1)).save(file, "PNG")
    return file.getvalue()


def submit(client: Client, number: int) -> str:
    body = {"images": [base64.b64encode(pixel()).decode()] * number, "operations": []}
    response = requests.post(f"{client.url}/process_images", json=body, timeout=60)
    response.raise_for_status()
    return str(response.json()["group_id"])


def milliseconds(action: Callable[[], object], times: int = 200) -> float:
    """Return the median time of several runs."""
    spent = []
    for _ in range(times):
        begun = time.perf_counter()
        action()
        spent.append((time.perf_counter() - begun) * 1000)
    return median(spent)


def resident(pid: int) -> int:
    """Return the resident memory of a process and its children, in bytes."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * 4096 + sum(resident(int(child)) for child in children)


def measure_waiting(stack: LocalStack, client: Client, redis: Redis) -> list[tuple[str, str]]:
    """Measure what 1,000 images cost while they wait, with no worker running."""
    stack.stop_program("worker")
    memory, traffic = redis.info("memory")["used_memory"], redis.info("stats")["total_net_input_bytes"]
    begun = time.perf_counter()
    large = submit(client, IMAGES)
    seconds = time.perf_counter() - begun
    memory = redis.info("memory")["used_memory"] - memory
    traffic = redis.info("stats")["total_net_input_bytes"] - traffic
    small = submit(client, 1)
    polled = {group: milliseconds(partial(client.status, group, images="false")) for group in (large, small)}
    rows = [
        ("submitting 1,000 images of one pixel as JSON", f"{seconds:.2f} s"),
        ("Redis memory for each waiting image", f"{memory / IMAGES:,.0f} B"),
        ("bytes sent to Redis for each image", f"{traffic / IMAGES:,.0f} B"),
        ("status of 1,000 images against 1, images=false", f"{polled[large] / polled[small]:.2f} x"),
    ]
    stack.start_program("worker")
    client.wait(large)
    return rows


def measure_overhead(stack: LocalStack, client: Client) -> tuple[str, str]:
    """Measure the worker's CPU time per image of one pixel, including its child processes."""
    before = cpu_seconds(stack.processes["worker"].pid)
    client.wait(submit(client, IMAGES))
    spent = cpu_seconds(stack.processes["worker"].pid) - before
    return "CPU of the worker for an image of one pixel", f"{spent / IMAGES * 1000:.1f} ms"


def measure_memory(stack: LocalStack, client: Client) -> tuple[str, str]:
    """Measure how much the API's memory grows while it receives 500 MB."""
    api = stack.processes["api"].pid
    client.wait(client.start({"warm.jpg": encode(photograph())}, []))
    picture = encode(photograph(3000, 2000), "PNG")
    before, size = resident(api), len(picture)
    stack.stop_program("worker")
    client.start({f"{number}.png": picture for number in range(500 * MEGABYTE // size)}, [])
    grown = resident(api) - before
    return "growth of the API while receiving 500 MB", f"{grown / MEGABYTE:.0f} MB"


def main() -> None:
    """Print the table."""
    with tempfile.TemporaryDirectory() as folder, LocalStack(Path(folder)) as stack:
        client, redis = Client(stack.api_url), Redis.from_url(stack.redis_url)
        client.wait(submit(client, 10))  # warm up
        rows = measure_waiting(stack, client, redis)
        rows += [measure_overhead(stack, client), measure_memory(stack, client)]
        show(("what", "measured"), rows)


if __name__ == "__main__":
    main()
