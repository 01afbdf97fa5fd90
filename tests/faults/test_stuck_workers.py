"""A worker that does not get on says so and ends itself, whatever keeps it: made for real, in both pools."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Protocol
from urllib.parse import urlsplit

import pytest
from celery import Celery
from darkroom_contracts.messages import Add, Count
from darkroom_contracts.queues import Queue
from darkroom_runtime.celery_config import make_celery, publisher
from darkroom_runtime.progress import EXIT_CODE
from darkroom_runtime.redis_client import connect
from darkroom_runtime.sending import send
from darkroom_runtime.settings import Settings
from redis import Redis
from support.client import Client
from support.live_consumer import live_consumer
from support.local_stack import LocalStack
from support.pictures import encode, photograph
from support.redis_server import RedisServer
from support.stuck_service import LOOP, TIME_LIMIT
from support.tcp_proxy import Proxy
from support.waiting import wait_for

pytestmark = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="processes are looked up in /proc")

faults = pytest.mark.faults
slow = pytest.mark.slow
PATIENCE = 3
LONG = 60
"""Seconds for what takes a few, on a busy machine."""
POOLS = ("prefork", "threads")
HANG = Add(1, 2)


@dataclass
class Service:
    """A service of the test's own, with two processes or threads, that is judged after three seconds."""

    process: "subprocess.Popen[bytes]"
    log: Path
    folder: Path
    redis: Redis
    celery: Celery
    proxy: Proxy

    def pool(self) -> list[int]:
        """The processes of its pool."""
        pid = self.process.pid
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]

    def complaint(self) -> str:
        """What it has said was wrong, once it has ended itself."""
        assert wait_for(lambda: self.process.poll() is not None, limit=LONG, what="the worker to end itself")
        assert self.process.returncode == EXIT_CODE
        lines = [json.loads(line) for line in self.log.read_text().splitlines() if line.startswith("{")]
        [said] = [line["reason"] for line in lines if line["event"] == "worker_stuck"]
        [health] = self.folder.glob("darkroom-health.*")
        assert health.read_text().rstrip().endswith(said)
        return str(said)

    def has_taken_all(self) -> bool:
        """Whether nothing waits in its queue."""
        return not self.redis.llen(Queue.MAINTENANCE)


@pytest.fixture(scope="module")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with RedisServer(tmp_path_factory.mktemp("redis")) as server:
        yield server.url


class Start(Protocol):
    """Starts a service with a pool of this kind."""

    def __call__(self, pool: str, *, unread: bool = False) -> AbstractContextManager[Service]:
        """
        Args:
            pool: its kind.
            unread: whether nobody reads its log once it has started.
        """


@pytest.fixture
def start(redis_url: str, tmp_path: Path) -> Start:
    address = urlsplit(redis_url)

    @contextmanager
    def run(pool: str, *, unread: bool = False) -> Iterator[Service]:
        settings = {
            "STUCK_POOL": pool,
            "DARKROOM_STALL_TIMEOUT": str(PATIENCE),
            "PYTHONPATH": str(Path(__file__).parents[1]),
            "TMPDIR": str(tmp_path),
        }
        log = tmp_path / "service.log"
        with (
            connect(Settings(redis_url=redis_url)) as redis,
            Proxy(str(address.hostname), int(address.port or 0)) as proxy,
            _unread_pipe() if unread else log.open("ab") as output,
            make_celery("test", publisher(Settings(redis_url=redis_url))) as celery,
        ):
            redis.flushall()
            url = f"redis://127.0.0.1:{proxy.port}/0"
            with live_consumer(
                "support.stuck_service", Queue.MAINTENANCE, url, tmp_path, settings, output=output
            ) as process:
                if unread:
                    _fill(output)
                yield Service(process, log, tmp_path, redis, celery, proxy)

    return run


@contextmanager
def _unread_pipe() -> Iterator[IO[bytes]]:
    reading, writing = os.pipe()
    try:
        with os.fdopen(writing, "wb", buffering=0) as pipe:
            yield pipe
    finally:
        os.close(reading)


def _fill(pipe: IO[bytes]) -> None:
    os.set_blocking(pipe.fileno(), False)
    with suppress(BlockingIOError):
        while True:
            os.write(pipe.fileno(), b"x")
    os.set_blocking(pipe.fileno(), True)  # of the service's end, too: it is the same


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def assert_nobody_goes_on(pool: list[int]) -> None:
    wait_for(lambda: not any(map(is_running, pool)), limit=LONG, what="the processes of the pool to end")


@faults
@pytest.mark.parametrize("pool", POOLS)
def test_a_worker_that_is_silently_cut_off_from_its_queue_ends_itself(start: Start, pool: str) -> None:
    with start(pool) as service:
        wait_for(lambda: service.proxy.silence(b"BRPOP"), limit=LONG, what="it to wait for messages")
        for _ in range(3):  # Redis still hands out one, to nobody
            send(service.celery, Count(1))
        assert service.complaint().startswith("No message has been taken for ")
    with start(pool) as service:
        send(service.celery, Count(1))
        wait_for(service.has_taken_all, limit=LONG, what="the next to take what waits")


@slow
def test_a_worker_whose_processes_are_stopped_ends_itself_and_all_of_them(start: Start) -> None:
    with start("prefork") as service:
        pool = wait_for(service.pool, limit=LONG, what="the processes of the pool")
        for process in pool:
            os.kill(process, signal.SIGSTOP)
        send(service.celery, HANG)
        assert "has not begun for " in service.complaint()
        assert_nobody_goes_on(pool)


@slow
def test_a_worker_with_a_thread_that_hangs_ends_itself(start: Start) -> None:
    with start("threads") as service:
        send(service.celery, HANG)
        said = service.complaint()
        assert said.startswith(f"The task {HANG.name} (")
        assert said.endswith(f"; its limit is {TIME_LIMIT} s.")


@faults
@pytest.mark.parametrize("pool", POOLS)
def test_a_worker_whose_loop_hangs_ends_itself(start: Start, pool: str) -> None:
    with start(pool) as service:
        children = service.pool()
        send(service.celery, Add(LOOP, 0))
        send(service.celery, HANG)
        assert service.complaint().startswith("No message has been taken for ")
        assert_nobody_goes_on(children)


@faults
def test_a_worker_ends_itself_although_nobody_reads_its_log(start: Start) -> None:
    with start("prefork", unread=True) as service:
        pool = wait_for(service.pool, limit=LONG, what="the processes of the pool")
        send(service.celery, Add(LOOP, 0))
        send(service.celery, HANG)
        assert service.process.wait(LONG) == EXIT_CODE
        assert_nobody_goes_on(pool)


@faults
@pytest.mark.parametrize("pool", POOLS)
def test_a_worker_is_not_blamed_for_what_is_none_of_its_doing(start: Start, pool: str) -> None:
    with start(pool) as service:

        def look_on(what: str) -> None:
            until = time.monotonic() + 1.5 * PATIENCE
            wait_for(lambda: time.monotonic() > until, limit=LONG, what=what)
            assert service.process.poll() is None, f"it ended itself: {what}"

        def inspect(command: str) -> Any:
            return service.celery.control.broadcast(
                command, {"queue": Queue.MAINTENANCE.value}, reply=True, timeout=10, limit=1
            )

        assert inspect("cancel_consumer")
        send(service.celery, Count(1))
        look_on("its queue is paused")
        assert inspect("add_consumer")
        wait_for(service.has_taken_all, limit=LONG, what="the message to be taken")

        send(service.celery, Count(1), countdown=2 * PATIENCE)
        for _ in range(5):
            send(service.celery, Count(10 * TIME_LIMIT - 5))  # almost as long as it may take
        look_on("it has no room, and a message for later")

        with service.proxy.frozen():
            look_on("Redis is frozen")
        wait_for(service.has_taken_all, limit=LONG, what="it to go on")
        service.process.terminate()
        send(service.celery, HANG)
        assert service.process.wait(LONG) == 0


@faults
def test_the_supervisor_starts_a_stuck_worker_again_and_its_image_is_processed(tmp_path: Path) -> None:
    settings = {"DARKROOM_WORKER_CONCURRENCY": "1", "DARKROOM_STALL_TIMEOUT": str(PATIENCE)}
    with LocalStack(tmp_path, settings) as stack:
        client, stuck = Client(stack.api_url), stack.processes["worker"].pid
        pool = stack.children("worker")
        for process in pool:
            os.kill(process, signal.SIGSTOP)
        group_id = client.start({"a.jpg": encode(photograph())}, [])
        assert client.wait(group_id)["state"] == "completed"
        assert stack.processes["worker"].pid != stuck
        assert_nobody_goes_on(pool)
        assert "worker_stuck" in (stack.folder.logs / "worker.log").read_text()
