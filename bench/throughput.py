"""A batch of 200 photographs through the whole service, compared with the same imaging function in a bare process pool
on the same cores, and with the plain design."""

import itertools
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import requests
from darkroom_imaging.engine import process
from darkroom_imaging.operations import Blur
from support.client import Client
from support.local_stack import LocalStack
from support.redis_server import RedisServer

from bench.cpu import cpu_of_programs, cpu_seconds
from bench.photographs import photographs
from bench.tables import show

BATCH = 200
RADIUS = 5.0
ROUNDS = 3
CORES = len(os.sched_getaffinity(0))


def batch() -> dict[str, bytes]:
    """Return the photographs, repeated under different names."""
    endless = itertools.cycle(photographs().items())
    return {f"{number:03}-{name}": data for number, (name, data) in zip(range(BATCH), endless, strict=False)}


class Spent:
    """CPU seconds of each program over several batches, and of the engine for the same images."""

    def __init__(self) -> None:
        self.rounds: list[dict[str, float]] = []

    def measure(self, read: Callable[[], dict[str, float]], action: Callable[[], object]) -> None:
        """Measure one round."""
        before = read()
        action()
        after = read()
        self.rounds.append({name: after[name] - before[name] for name in after})

    def milliseconds(self) -> dict[str, float]:
        """Return the milliseconds of each program per photograph, of the round with the smallest sum."""
        least = min(self.rounds, key=lambda spent: sum(spent.values()))
        return {name: 1000 * spent / BATCH for name, spent in least.items()}


def seconds(action: Callable[[], object]) -> float:
    begun = time.perf_counter()
    action()
    return time.perf_counter() - begun


def work(source: bytes) -> int:
    return len(process(source, (Blur(radius=RADIUS),)).data)


def through_the_service(client: Client, request: requests.PreparedRequest) -> None:
    """Submit a batch and poll its status every 100 ms until it has ended."""
    with requests.Session() as session:
        answer = session.send(request, timeout=120)
    answer.raise_for_status()
    pause = threading.Event()
    while not (status := client.status(answer.json()["group_id"], images="false"))["finished_at"]:
        pause.wait(0.1)
    assert status["completed"] == BATCH, status


@contextmanager
def plain_worker(folder: Path) -> Iterator[Callable[[list[bytes]], object]]:
    with RedisServer(folder) as redis:
        os.environ["PLAIN_REDIS"] = redis.url
        from bench import plain  # it reads PLAIN_REDIS when imported

        worker = subprocess.Popen(
            [sys.executable, "-m", "celery", "-A", "bench.plain", "worker", "-c", str(CORES), "-l", "warning"]
        )
        try:
            plain.run(list(photographs().values()), RADIUS)  # wait for the worker, and warm it up
            yield lambda images: plain.run(images, RADIUS)
        finally:
            worker.terminate()
            worker.wait()


def main() -> None:
    """Print the table."""
    images = batch()
    with tempfile.TemporaryDirectory() as folder:
        engine, service = Spent(), Spent()
        with ProcessPoolExecutor(CORES) as pool:
            list(pool.map(work, photographs().values()))  # warm
            children = list(pool._processes)
            pooled = [
                seconds(
                    lambda: engine.measure(
                        lambda: {"engine": sum(map(cpu_seconds, children))},
                        lambda: list(pool.map(work, images.values())),
                    )
                )
                for _ in range(ROUNDS)
            ]
        settings = {"DARKROOM_WORKER_CONCURRENCY": str(CORES)}
        with LocalStack(Path(folder) / "stack", settings) as stack:
            client = Client(stack.api_url)
            # Prepared beforehand, so that the client's own work is not measured.
            request = client.prepare(images, [{"op": "blur", "radius": RADIUS}])
            through_the_service(client, request)  # warm
            served = [
                seconds(
                    lambda: service.measure(
                        lambda: cpu_of_programs(stack), lambda: through_the_service(client, request)
                    )
                )
                for _ in range(ROUNDS)
            ]
        with plain_worker(Path(folder) / "plain") as run:
            plainly = [seconds(lambda: run(list(images.values()))) for _ in range(ROUNDS)]
    report(min(pooled), min(served), min(plainly))
    report_cpu(engine.milliseconds()["engine"], service.milliseconds())


def report(pooled: float, served: float, plainly: float) -> None:
    """Print the images per second of each best round, and their ratios."""
    show(
        ("200 photographs, blur 5, from the POST to the last result", "images/s", "the service is"),
        [
            ("Darkroom", f"{BATCH / served:.1f}", ""),
            ("bare process pool, the same imaging function", f"{BATCH / pooled:.1f}", f"{pooled / served:.2f} x"),
            ("plain design: bytes in Redis, Pillow's blur", f"{BATCH / plainly:.1f}", f"{plainly / served:.2f} x"),
        ],
    )


def report_cpu(engine: float, programs: dict[str, float]) -> None:
    """Print the CPU time of each program per photograph."""
    rows = [("the engine in a bare pool", f"{engine:.1f}", "1.00")]
    rows += [(name, f"{spent:.1f}", f"{spent / engine:.2f}") for name, spent in programs.items()]
    total = sum(programs.values())
    print()
    show(
        ("CPU per photograph", "ms", "of the engine's"),
        [*rows, ("all of the service", f"{total:.1f}", f"{total / engine:.2f}")],
    )


if __name__ == "__main__":
    main()
