"""Whether owners take turns: how long a small group waits behind a large one, and how ten owners' groups end."""

import base64
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from statistics import median
from typing import Any

import requests
from support.client import Client
from support.local_stack import LocalStack
from support.pictures import encode, photograph

from bench.tables import show

LARGE = 1000
SMALL_GROUPS = 10
OWNERS = 10
LARGEST = 1000
PROCESSES = 2


def submit(client: Client, number: int, image: str) -> str:
    """Submit one image so many times. Without API keys, each group is an owner of its own."""
    body = {"images": [image] * number, "operations": [{"op": "blur", "radius": 3}]}
    response = requests.post(f"{client.url}/process_images", json=body, timeout=120)
    response.raise_for_status()
    return str(response.json()["group_id"])


def uploaded(client: Client) -> str:
    """Upload an image that takes a worker some tens of milliseconds."""
    response = requests.post(
        f"{client.url}/images", data=encode(photograph(1200, 900)), headers={"Content-Type": "image/jpeg"}, timeout=30
    )
    response.raise_for_status()
    return str(response.json()["image_id"])


def waited(client: Client, group_id: str) -> float:
    """Return for how many seconds the first image of a group that has ended had waited."""
    client.wait(group_id, limit=600)
    answer = requests.get(f"{client.url}/images/{group_id}/0/timeline", timeout=30)
    return float(answer.json()["waited"])


def measure_small_groups(client: Client, image: str) -> list[tuple[str, str]]:
    """Submit groups of one image while a large one is worked on; its own speed says how long an image takes."""
    large = submit(client, LARGE, image)
    while not (before := client.status(large, images="false"))["completed"]:
        time.sleep(0.05)
    begun = time.monotonic()
    waits = [waited(client, submit(client, 1, image)) for _ in range(SMALL_GROUPS)]
    seconds = time.monotonic() - begun
    after = client.status(large, images="false")
    done = after["completed"] - before["completed"] + SMALL_GROUPS
    image_time = seconds * PROCESSES / done
    requests.post(f"{client.url}/cancel/{large}", timeout=30).raise_for_status()
    return [
        ("time of an image in the large group", f"{image_time * 1000:.0f} ms"),
        ("wait of a one-image group behind it, median", f"{median(waits) / image_time:.1f} images' time"),
        ("the same, longest of 10", f"{max(waits) / image_time:.1f} images' time"),
        ("images of the large group still to do", f"{LARGE - after['completed']:,}"),
    ]


def measure_owners(client: Client) -> tuple[str, str]:
    """Submit groups of ten owners, the largest first, and see in which order they end."""
    pixel = base64.b64encode(encode(photograph(32, 24), "PNG")).decode()
    sizes = [LARGEST * (OWNERS - place) // OWNERS if place < OWNERS - 1 else 10 for place in range(OWNERS)]
    groups = {size: submit(client, size, pixel) for size in sizes}
    ended: dict[int, Mapping[str, Any]] = {size: client.wait(group, limit=1200) for size, group in groups.items()}
    order = sorted(ended, key=lambda size: str(ended[size]["finished_at"]))
    is_fair = "yes" if order == sorted(sizes) else f"no: {order}"
    return f"ten owners with {min(sizes)} to {max(sizes):,} images end in the order of their sizes", is_fair


def main() -> None:
    """Print the table."""
    settings = {"DARKROOM_WORKER_CONCURRENCY": str(PROCESSES)}
    with tempfile.TemporaryDirectory() as folder, LocalStack(Path(folder), settings) as stack:
        client = Client(stack.api_url)
        image = uploaded(client)
        client.wait(submit(client, 20, image))  # warm up
        show(("what", "measured"), [*measure_small_groups(client, image), measure_owners(client)])


if __name__ == "__main__":
    main()
