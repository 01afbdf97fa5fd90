"""What strict durability costs: taking images in, and the whole way of a batch, against the default.

On the disk of the temporary folder: where /tmp is in memory, name another one with TMPDIR.
"""

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import requests
from support.client import Client
from support.local_stack import LocalStack

from bench.photographs import photographs
from bench.tables import show

ROUNDS = 5
SMALL = 60
BATCH = 100


def _milliseconds(action: Callable[[], object]) -> float:
    begun = time.perf_counter()
    action()
    return (time.perf_counter() - begun) * 1000


def _send(request: requests.PreparedRequest) -> str:
    with requests.Session() as session:
        answer = session.send(request, timeout=120)
    answer.raise_for_status()
    return str(answer.json()["group_id"])


def measure(folder: Path, durability: str) -> tuple[float, float, float]:
    """Return the milliseconds until the 202 for one photograph and for a batch, and the batch's images per second."""
    pictures = list(photographs().values())
    batch = {f"{number}.jpg": pictures[number % len(pictures)] for number in range(BATCH)}
    with LocalStack(folder, {"DARKROOM_DURABILITY": durability}) as stack:
        client = Client(stack.api_url)
        one = client.prepare({"one.jpg": pictures[0]}, [])
        many = client.prepare(batch, [{"op": "blur", "radius": 5}])
        client.wait(_send(one))  # warm up
        stack.stop_program("worker")
        single = median(_milliseconds(lambda: _send(one)) for _ in range(SMALL))
        groups = []
        taken = median(_milliseconds(lambda: groups.append(_send(many))) for _ in range(ROUNDS))
        stack.start_program("worker")
        for group in groups:
            client.wait(group, limit=600)
        rates = []
        for _ in range(3):
            begun = time.perf_counter()
            client.wait(_send(many), limit=600)
            rates.append(BATCH / (time.perf_counter() - begun))
    return single, taken, max(rates)


def main() -> None:
    """Print the table."""
    with tempfile.TemporaryDirectory() as folder:
        rows = {name: measure(Path(folder) / name, name) for name in ("normal", "strict")}
    normal, strict = rows["normal"], rows["strict"]
    names = ("one photograph, until the 202, ms", f"{BATCH} photographs, until the 202, ms", "images/s, blur 5")
    show(
        ("what", "normal", "strict", "strict is"),
        [
            (name, f"{usual:.1f}", f"{strictly:.1f}", f"{strictly / usual:.2f} x")
            for name, usual, strictly in zip(names, normal, strict, strict=True)
        ],
    )


if __name__ == "__main__":
    main()
