"""Response times of the other endpoints while 500 event streams are open, idle and busy ones."""

import base64
import io
import itertools
import multiprocessing
import selectors
import socket
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from statistics import quantiles
from urllib.parse import urlsplit

import requests
from darkroom_contracts.ids import new_group_id
from darkroom_records.groups import GroupStore, NewImage, Outcome
from darkroom_records.task_store import TaskStore
from darkroom_runtime.redis_client import connect
from darkroom_runtime.settings import Settings
from PIL import Image
from support.live_api import live_api
from support.redis_server import RedisServer

from bench.tables import show

STREAMS = 500
IMAGES = 1000
"""In all followed groups together."""
ENDS_PER_SECOND = 25
TIMES = 200
PROCESSES = multiprocessing.get_context("spawn")

Endpoints = Mapping[str, Callable[[], requests.Response]]


def follow(url: str, group_ids: Sequence[str], report: Connection) -> None:
    """Keep a stream open for each of these ids until told to stop; report how many were rejected."""
    selector = selectors.DefaultSelector()
    for group_id in group_ids:
        stream = socket.create_connection((urlsplit(url).hostname, urlsplit(url).port))
        stream.sendall(f"GET /events/{group_id} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
        selector.register(stream, selectors.EVENT_READ)
    answers: dict[int, bool] = {}
    if not group_ids:
        report.send(0)
    while not report.poll():
        for key, _ in selector.select(0.1):
            data = key.fileobj.recv(1 << 20)  # type: ignore[union-attr]  # it is a socket
            if key.fd not in answers:
                answers[key.fd] = data.startswith(b"HTTP/1.1 200")
                if len(answers) == len(group_ids):
                    report.send(list(answers.values()).count(False))
            if not data:
                selector.unregister(key.fileobj)


@contextmanager
def open_streams(url: str, group_ids: Sequence[str]) -> Iterator[int]:
    """Follow these groups from another process within the block; yield the number of rejected streams."""
    ours, theirs = PROCESSES.Pipe()
    process = PROCESSES.Process(target=follow, args=(url, group_ids, theirs))
    process.start()
    try:
        yield ours.recv()
    finally:
        ours.send("stop")
        process.join()


@contextmanager
def work(groups: GroupStore, group_ids: Sequence[str]) -> Iterator[None]:
    """Begin and finish images of these groups in turn within the block, as workers would."""
    stopped = threading.Event()

    def run() -> None:
        for index, group_id in itertools.product(range(IMAGES), group_ids):
            if stopped.wait(1 / ENDS_PER_SECOND):
                return
            if begun := groups.begin(group_id, index, worker="bench", delivery=0):
                groups.succeed(begun, Outcome(format="jpeg", width=1, height=1, bytes=1, sha256="0"))

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        stopped.set()
        thread.join()


def new_groups(groups: GroupStore, number: int) -> list[str]:
    group_ids = [new_group_id() for _ in range(number)]
    for group_id in group_ids:
        groups.create(group_id, [NewImage(f"{index}.jpg") for index in range(IMAGES // number)], ())
    return group_ids


def endpoints(url: str) -> Endpoints:
    """Return one function per endpoint that requests it once, over a persistent connection."""
    session = requests.Session()
    file = io.BytesIO()
    Image.new("RGB", (1, 1)).save(file, "PNG")
    body = {"images": [base64.b64encode(file.getvalue()).decode()]}
    group_id = session.post(f"{url}/process_images", json=body).json()["group_id"]
    task_id = session.get(f"{url}/add/1/2").json()["id"]
    get, post = partial(partial, session.get), partial(partial, session.post)
    return {
        "GET /healthz": get(f"{url}/healthz"),
        "GET /readyz": get(f"{url}/readyz"),
        "GET /control": get(f"{url}/control"),
        "GET /status, one image": get(f"{url}/status/{group_id}"),
        "GET /images?original=true": get(f"{url}/images/{group_id}/0?original=true"),
        "GET /add/1/2": get(f"{url}/add/1/2"),
        "GET /tasks": get(f"{url}/tasks/{task_id}"),
        "POST /cancel, ended": post(f"{url}/cancel/{group_id}"),
        "POST /process_images, one pixel": post(f"{url}/process_images", json=body),
    }


def milliseconds(ask: Callable[[], requests.Response], tasks: TaskStore) -> str:
    """Return the median and the 95th percentile of the response time."""
    spent = []
    for _ in range(TIMES):
        begun = time.perf_counter()
        answer = ask()
        spent.append((time.perf_counter() - begun) * 1000)
        assert answer.ok or answer.status_code == 409, answer.text
        if "/add/" in answer.url:  # no worker runs here, and the number of open tasks is limited
            tasks.cancel(answer.json()["id"])
    twentieths = quantiles(spent, n=20)
    return f"{twentieths[9]:.1f} ({twentieths[18]:.1f})"


def measure(redis_url: str, number: int, *, busy: bool) -> tuple[int, dict[str, str]]:
    """Return the number of rejected streams and the response times while 500 streams follow this many groups.

    Starts a new server each time, so that earlier streams leave no trace.
    """
    redis = connect(Settings(redis_url=redis_url))
    groups, tasks = GroupStore(redis), TaskStore(redis)
    group_ids = new_groups(groups, number) if number else []
    followed = (group_ids * STREAMS)[:STREAMS]
    with (
        tempfile.TemporaryDirectory() as storage,
        live_api(redis_url, Path(storage), {"DARKROOM_API_WORKERS": "2"}) as api,
        open_streams(api.url, followed) as rejected,
        work(groups, group_ids if busy else []),
    ):
        return rejected, {name: milliseconds(ask, tasks) for name, ask in endpoints(api.url).items()}


def main() -> None:
    """Print the table."""
    kinds = {
        "no streams": (0, False),
        "of 1 idle group": (1, False),
        "of 1 busy group": (1, True),
        "of 50 busy groups": (50, True),
        "of 500 idle groups": (STREAMS, False),
    }
    with tempfile.TemporaryDirectory() as folder, RedisServer(Path(folder)) as server:
        columns = {kind: measure(server.url, number, busy=busy) for kind, (number, busy) in kinds.items()}
    print(f"Milliseconds, median and 95th percentile, while {STREAMS} streams are open, ", end="")
    print(f"with {ENDS_PER_SECOND} images finishing per second in busy groups.\n")
    names = columns["no streams"][1]
    rows = [[name, *(spent[name] for _, spent in columns.values())] for name in names]
    show(["endpoint", *kinds], [*rows, ["rejected streams", *(rejected for rejected, _ in columns.values())]])


if __name__ == "__main__":
    main()
