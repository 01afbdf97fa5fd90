"""What every other answer takes while 500 event streams are open, silent ones and busy ones."""

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
"""In all groups that are followed together."""
ENDS_PER_SECOND = 25
TIMES = 200
PROCESSES = multiprocessing.get_context("spawn")

Answers = Mapping[str, Callable[[], requests.Response]]


def follow(url: str, group_ids: Sequence[str], report: Connection) -> None:
    """Hold a stream for each of these ids until told to stop. Reports how many were refused once all were answered."""
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
    """Follow these groups within the block from another process. Gives the number of streams that were refused."""
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
    """Let the images of these groups begin and end within the block, one of each group by turns, as workers would."""
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


def answers(url: str) -> Answers:
    """The endpoints, each as a function that asks it once, over a connection that is kept."""
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
    """What it takes to be answered: the median, and what one in twenty exceeds."""
    spent = []
    for _ in range(TIMES):
        begun = time.perf_counter()
        answer = ask()
        spent.append((time.perf_counter() - begun) * 1000)
        assert answer.ok or answer.status_code == 409, answer.text
        if "/add/" in answer.url:  # nobody works on them here, and only so many may be open
            tasks.cancel(answer.json()["id"])
    twentieths = quantiles(spent, n=20)
    return f"{twentieths[9]:.1f} ({twentieths[18]:.1f})"


def measure(redis_url: str, number: int, *, busy: bool) -> tuple[int, dict[str, str]]:
    """How many streams were refused, and what answers take, while 500 streams follow so many groups.

    Each time by a new server, so that none has to get over the streams of the time before.
    """
    redis = connect(Settings(redis_url=redis_url))
    groups, tasks = GroupStore(redis), TaskStore(redis)
    group_ids = new_groups(groups, number) if number else []
    followed = (group_ids * STREAMS)[:STREAMS]
    with (
        tempfile.TemporaryDirectory() as storage,
        live_api(redis_url, Path(storage), {"DARKROOM_API_WORKERS": "2"}) as api,
        open_streams(api.url, followed) as refused,
        work(groups, group_ids if busy else []),
    ):
        return refused, {name: milliseconds(ask, tasks) for name, ask in answers(api.url).items()}


def main() -> None:
    """Print the table."""
    kinds = {
        "no streams": (0, False),
        "of 1 silent group": (1, False),
        "of 1 busy group": (1, True),
        "of 50 busy groups": (50, True),
        "of 500 silent groups": (STREAMS, False),
    }
    with tempfile.TemporaryDirectory() as folder, RedisServer(Path(folder)) as server:
        columns = {kind: measure(server.url, number, busy=busy) for kind, (number, busy) in kinds.items()}
    print(f"Milliseconds, median and 95th percentile, while {STREAMS} streams are open, ", end="")
    print(f"the busy ones told of {ENDS_PER_SECOND} images that end in a second.\n")
    names = columns["no streams"][1]
    rows = [[name, *(spent[name] for _, spent in columns.values())] for name in names]
    show(["answer", *kinds], [*rows, ["streams refused", *(refused for refused, _ in columns.values())]])


if __name__ == "__main__":
    main()
