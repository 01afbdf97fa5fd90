"""A batch that something happens to, and an account of all that must hold once it has ended."""

import hashlib
import threading
import time
import uuid
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import requests
from darkroom_runtime.redis_client import connect
from darkroom_runtime.settings import Settings
from pydantic import RedisDsn
from redis import Redis, RedisError
from support import redis_keys
from support.client import Answer, Client
from support.event_stream import EventStream
from support.local_stack import LocalStack
from support.pictures import encode, photograph
from support.waiting import wait_for

IMAGES = 100
WORK: Sequence[Answer] = [{"op": "sharpen", "radius": 8}] * 8
"""Takes a few seconds for all images together, so that a batch is still under way after what happens to it."""
RECOVERY_LIMIT = 30.0
"""Seconds within which a batch must go on after what happened to it is over, with the settings everybody has."""

_END_LIMIT = 240.0
_ALIVE_LIMIT = 120.0
_TIDY_LIMIT = 120.0
_QUEUES = {"images", "mail", "maintenance", "outbound"}


@dataclass(frozen=True, slots=True)
class Figures:
    """What is printed of one fault.

    Attributes:
        fault: what happened.
        images: how many were in the batch.
        pause: the longest time, in seconds, that no image ended once the fault was over.
        whole: seconds from then until the batch had ended and each part of the system was seen at work.
        accepted: requests that were sent all the while and accepted.
        refused: those that were not.
    """

    fault: str
    images: int
    pause: float
    whole: float
    accepted: int
    refused: int


FIGURES: list[Figures] = []
"""Of all faults of this run."""


class Ledger:
    """Runs batches on a system, lets something happen in the middle of them, and counts afterwards.

    Args:
        stack: the system.
        images: how many each batch has.
    """

    def __init__(self, stack: LocalStack, images: int = IMAGES) -> None:
        self.stack = stack
        self.client = Client(stack.api_url)
        self._files = {f"{number}.jpg": encode(photograph(200, 150, number)) for number in range(images)}
        self._expected: Mapping[int, str] = {}

    @classmethod
    def opened(cls, stack: LocalStack) -> Self:
        """Return an account that has the results every later batch is compared with: of one without a fault."""
        ledger = cls(stack)
        ledger.run_without_faults()
        return ledger

    def run_without_faults(self) -> None:
        """Make the results that every later batch is compared with."""
        group_id = self.client.start(self._files, WORK)
        assert self.client.wait(group_id)["state"] == "completed"
        self._expected = {index: digest(self.client.result(group_id, index)) for index in range(len(self._files))}
        self.delete(group_id)

    def run(
        self,
        fault: str,
        cause: Callable[[str], object],
        *,
        limit: float = RECOVERY_LIMIT,
        share: float = 0.1,
        then: Callable[[str], object] = lambda _: None,
        **fields: str,
    ) -> None:
        """Run a batch, cause a fault in the middle of it, and check all that must hold afterwards.

        Args:
            fault: what happens, for people.
            cause: makes it happen to this group, and returns once it is over.
            limit: seconds within which the batch must go on, on a machine that has time for it.
            share: of the images that have ended when it happens.
            then: what else must hold, checked once the group has ended and before it is erased.
            **fields: of the request, beside images and operations.
        """
        with Redis.from_url(self.stack.redis_url, decode_responses=True) as redis:
            keys, blobs = redis_keys.keys_of_work(redis), self.blobs()
        response = self.client.post_files(self._files, WORK, **fields)
        assert response.status_code == 202, response.text
        group_id = str(response.json()["group_id"])
        slowness = Slowness(self.stack)
        with (
            _Watch(self.stack, group_id) as watch,
            _Knocking(self.client, next(iter(self._files.values()))) as knocking,
        ):
            enough = share * len(self._files)
            wait_for(lambda: watch.ended >= enough, limit=_END_LIMIT, what="the batch to be under way")
            assert watch.ended < len(self._files), "the batch ended before anything had happened to it"
            cause(group_id)
            over = time.monotonic()
            wait_for(lambda: watch.is_over, limit=_END_LIMIT, what="the end of the batch")
        pause = watch.longest_pause(since=over)
        self.check_results(group_id, watch.seen)
        then(group_id)
        self.check_alive()
        whole = time.monotonic() - over
        for one in knocking.settle():
            self.check_results(one, images=1)
            self.delete(one)
        self.delete(group_id)
        self.check_tidy(keys, blobs)
        figures = Figures(fault, len(self._files), pause, whole, knocking.accepted, knocking.refused)
        FIGURES.append(figures)
        assert pause < limit * slowness.factor, figures

    def send(self, url: str, key: str) -> requests.Response:
        """Ask an API for a batch, under an Idempotency-Key."""
        return _send(Client(url), self._files, key)

    def accepted(self, key: str) -> str:
        """Return the id of the group that was made of a batch of this key, or is now; nothing where it is refused."""
        response = self.send(self.client.url, key)
        return str(response.json()["group_id"]) if response.status_code == 202 else ""

    @contextmanager
    def timed(self, fault: str) -> Iterator[None]:
        """Note how long the block takes as the time in which everything was well again."""
        began = time.monotonic()
        yield
        took = time.monotonic() - began
        FIGURES.append(Figures(fault, len(self._files), took, took, 0, 0))

    def check_results(
        self,
        group_id: str,
        seen: Mapping[int, Collection[str]] = defaultdict(set),
        *,
        images: int | None = None,
    ) -> None:
        """Every image has succeeded, and whoever has fetched its result at whatever time got the same bytes."""
        number = images or len(self._files)
        status = self.client.wait(group_id, limit=_END_LIMIT)
        assert (status["state"], status["completed"], status["total"]) == ("completed", number, number), status
        assert [image["state"] for image in status["images"]] == ["succeeded"] * number
        for index in range(number):
            found = {digest(self.client.result(group_id, index)), *seen.get(index, ())}
            assert found == {self._expected[index]}, f"image {index} has other bytes than without a fault"

    def check_alive(self) -> None:
        """Each part of the system is seen at work: heartbeats, sweeps, queues, listeners, health."""
        client = self.client
        with Redis.from_url(self.stack.redis_url, decode_responses=True) as redis:
            swept, heard = redis_keys.sweeps_sent(redis), redis_keys.heartbeats(redis)

            def heard_again() -> set[str]:
                latest = redis_keys.heartbeats(redis).items()
                return {name.partition("@")[0] for name, at in latest if at != heard.get(name)}

            added = wait_for(lambda: _ask(f"{client.url}/add/20/22"), limit=_ALIVE_LIMIT, what="a task to be taken")
            for _ in range(2):  # whichever process of the API they reach
                self._check_listener()
            wait_for(
                lambda: heard_again() >= _QUEUES,
                limit=_ALIVE_LIMIT,
                what="the heartbeat of each worker",
            )
            wait_for(
                lambda: (_ask(f"{client.url}/tasks/{added['id']}") or {}).get("value") == 42,
                limit=_ALIVE_LIMIT,
                what="a task of the maintenance",
            )
            frequent = ("recover-groups", "deliver-due-webhooks")
            wait_for(
                lambda: all(redis_keys.sweeps_sent(redis)[name] > swept[name] for name in frequent),
                limit=_ALIVE_LIMIT,
                what="the next sweeps",
            )
        for name in ("flower", "inbox"):
            wait_for(partial(self.stack.is_healthy, name), limit=_ALIVE_LIMIT, what=f"{name} to be well")

    def check_tidy(self, keys: Collection[str], blobs: Collection[str]) -> None:
        """Nothing is left but what was there before: no key, no blob, no message, not even one of a dead worker."""

        def surplus() -> list[str]:
            return sorted([*(redis_keys.keys_of_work(redis) - set(keys)), *(self.blobs() - set(blobs))])

        with Redis.from_url(self.stack.redis_url, decode_responses=True) as redis:
            redis_keys.hand_out_held_messages_again(redis)
            try:
                wait_for(lambda: not surplus(), limit=_TIDY_LIMIT, what="nothing to be left over")
                wait_for(
                    lambda: not redis_keys.held_messages(redis), limit=_TIDY_LIMIT, what="all messages to be taken"
                )
            except AssertionError as error:
                raise AssertionError(f"{error}: {surplus()[:10]}") from None

    def blobs(self) -> set[str]:
        """The files in storage."""
        root = self.stack.folder.blobs
        return {
            str(file.relative_to(root)) for file in root.rglob("*") if file.is_file() and "checks" not in file.parts
        }

    def delete(self, group_id: str) -> None:
        """Erase a group, as its owner may."""
        response = requests.delete(f"{self.client.url}/groups/{group_id}", timeout=30)
        assert response.ok, response.text

    def _check_listener(self) -> None:
        """Whoever listens hears of an image at once."""
        group_id = self.client.start(dict(list(self._files.items())[:1]), WORK)
        with EventStream(self.client.url, group_id) as stream:
            events = list(stream)
        assert events[-1].data["state"] == "completed", events
        self.delete(group_id)


class Slowness:
    """How much slower a machine is because others keep its processors busy, since this was made.

    Args:
        stack: the system that would be quicker without them.
    """

    def __init__(self, stack: LocalStack) -> None:
        self._pids = [process.pid for process in stack.processes.values()]
        self._before = self._times()

    @property
    def factor(self) -> float:
        """At least 1: half the time that processes took, waiting for a processor included, per time they had one."""
        after = self._times()
        known = after.keys() & self._before.keys()
        run, waited = (sum(after[pid][kind] - self._before[pid][kind] for pid in known) for kind in (0, 1))
        return max(1.0, (run + waited) / run / 2) if run else 1.0

    def _times(self) -> dict[int, tuple[int, int]]:
        times = {}
        for pid in self._pids:
            with suppress(OSError):
                run, waited, _ = Path(f"/proc/{pid}/schedstat").read_text().split()
                times[pid] = int(run), int(waited)
        return times


class _Watch:
    """Follows a group until the block ends.

    It counts what has ended where that is written down, and, as a client does, fetches each result as soon as it can.
    """

    def __init__(self, stack: LocalStack, group_id: str) -> None:
        self.seen: dict[int, set[str]] = defaultdict(set)
        self.ended = 0
        self.is_over = False
        self._times: list[float] = []
        self._redis = connect(Settings(redis_url=RedisDsn(stack.redis_url)), retries=0)
        self._client = Client(stack.api_url)
        self._group_id = group_id
        self._failure: Exception | None = None
        self._left = threading.Event()
        self._threads = [threading.Thread(target=target, daemon=True) for target in (self._count, self._fetch)]

    def longest_pause(self, *, since: float) -> float:
        """The most seconds that nothing ended from this time on."""
        times = [since, *(at for at in self._times if at > since)]
        return max((later - earlier for earlier, later in pairwise(times)), default=0.0)

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._left.set()
        for thread in self._threads:
            thread.join()
        self._redis.close()
        if self._failure:
            raise self._failure

    def _count(self) -> None:
        while not self._left.wait(0.1) and not self.is_over:
            with suppress(RedisError):
                ended = redis_keys.ended_images(self._redis, self._group_id)
                if ended < self.ended:
                    self._failure = AssertionError("an image that had ended went back")
                if ended > self.ended:
                    self._times.append(time.monotonic())
                    self.ended = ended
                self.is_over = redis_keys.has_ended(self._redis, self._group_id) or self._failure is not None

    def _fetch(self) -> None:
        while not self._left.wait(0.3):
            with suppress(requests.RequestException):
                images = self._client.status(self._group_id)["images"]
                ready = [
                    one["index"] for one in images if one["state"] == "succeeded" and one["index"] not in self.seen
                ]
                for index in ready[:10]:
                    self.seen[index].add(digest(self._client.result(self._group_id, index)))


@dataclass
class _Knocking:
    """Keeps asking for groups of one image, whatever happens, until the block ends."""

    client: Client
    image: bytes
    accepted: int = 0
    refused: int = 0
    _taken: list[str] = field(default_factory=list)
    _unknown: list[str] = field(default_factory=list)
    _unexpected: list[str] = field(default_factory=list)
    _left: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._knock, daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._left.set()
        self._thread.join()

    def settle(self) -> list[str]:
        """The groups that were made. A request that nobody answered is sent again, with the key it had."""
        assert not self._unexpected, self._unexpected
        for key in self._unknown:
            response = wait_for(partial(self._answer, key), limit=_END_LIMIT, what="an answer to a request sent again")
            self._taken.append(str(response["group_id"]))
        return self._taken

    def _knock(self) -> None:
        while not self._left.wait(1):
            key = str(uuid.uuid4())
            try:
                response = _send(self.client, {"0.jpg": self.image}, key)
            except requests.RequestException:
                self._unknown.append(key)
                continue
            if response.status_code == 202:
                self.accepted += 1
                self._taken.append(str(response.json()["group_id"]))
            elif response.status_code in (503, 507, 429):
                self.refused += 1
            else:
                self._unexpected.append(response.text)

    def _answer(self, key: str) -> Any:
        try:
            response = _send(self.client, {"0.jpg": self.image}, key)
        except requests.RequestException:
            return None
        return response.json() if response.status_code == 202 else None


def digest(data: bytes) -> str:
    """The SHA-256 of some bytes."""
    return hashlib.sha256(data).hexdigest()


def _send(client: Client, files: Mapping[str, bytes], key: str) -> requests.Response:
    request = client.prepare(files, WORK)
    request.headers["Idempotency-Key"] = key
    with requests.Session() as session:
        return session.send(request, timeout=60)


def _ask(url: str) -> Any:
    try:
        response = requests.get(url, timeout=30)
    except requests.RequestException:
        return None
    return response.json() if response.ok else None
