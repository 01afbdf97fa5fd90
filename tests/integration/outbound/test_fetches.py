"""Fetching originals, over a real Redis, real storage and a server that misbehaves."""

import socket
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from darkroom_contracts.ids import new_group_id
from darkroom_contracts.mail import Address
from darkroom_contracts.messages import FetchImage, Message, ProcessImage, SendResults
from darkroom_contracts.problems import ProblemCode
from darkroom_contracts.queues import Queue
from darkroom_contracts.states import ImageState
from darkroom_imaging.limits import Limits
from darkroom_outbound.client import Client
from darkroom_outbound.fetches import FAILURES, Fetches
from darkroom_outbound.guard import Guard
from darkroom_outbound.host_slots import HostSlots
from darkroom_outbound.retry_policy import RetryPolicy
from darkroom_records.blobs import BlobNotFoundError, LocalBlobStorage, original_blob
from darkroom_records.groups import GroupStore, Image, NewImage, Terms
from darkroom_runtime.celery_config import make_celery, publisher
from darkroom_runtime.queues import queue_length
from darkroom_runtime.sending import send
from darkroom_runtime.settings import Settings
from darkroom_runtime.workers import heartbeat_key
from redis import Redis
from support.hostile_server import HostileServer, Received, answer, hostile_server
from support.live_consumer import live_consumer
from support.pictures import encode, photograph
from support.waiting import wait_for

PHOTOGRAPH = encode(photograph(64, 48))
WORKER = "outbound@test"


class Sent:
    """Keeps what is sent."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self.countdowns: list[float] = []
        self.headers: list[Mapping[str, Any]] = []

    def __call__(
        self,
        message: Message,
        *,
        countdown: float = 0,
        headers: Mapping[str, Any] | None = None,
    ) -> None:
        self.messages.append(message)
        self.countdowns.append(countdown)
        self.headers.append(headers or {})

    def together(self, messages: Iterable[Message], /, *, published_at: float) -> None:
        assert published_at > 0
        self.messages.extend(messages)


@pytest.fixture
def server() -> Iterator[HostileServer]:
    with hostile_server() as running:
        running.answers["/a.jpg"] = answer(body=PHOTOGRAPH)
        yield running


@pytest.fixture
def storage(tmp_path: Path) -> LocalBlobStorage:
    return LocalBlobStorage(tmp_path)


@pytest.fixture
def sent() -> Sent:
    return Sent()


@pytest.fixture
def fetches(groups: GroupStore, storage: LocalBlobStorage, sent: Sent, redis: Redis) -> Fetches:
    redis.set(heartbeat_key(WORKER), "")
    client = Client(Guard.parse(allow=["127.0.0.1"]), slots=HostSlots(1))
    limits = Limits(max_bytes=100_000, max_pixels=1_000_000)
    return Fetches(groups, storage, client, limits, RetryPolicy(3), sent, sent.together, worker=WORKER, timeout=10)


def submit(groups: GroupStore, *urls: str, terms: Terms = Terms()) -> str:  # noqa: B008 - frozen
    group_id = new_group_id()
    groups.create(group_id, [NewImage("a.jpg", url=url) for url in urls], (), terms)
    return group_id


def image(groups: GroupStore, group_id: str, index: int = 0) -> Image:
    found = groups.image(group_id, index)
    assert found
    return found


def problem(groups: GroupStore, group_id: str, index: int = 0) -> ProblemCode | None:
    return image(groups, group_id, index).outcome.code


def left_over(tmp_path: Path) -> list[Path]:
    return [path for path in tmp_path.rglob("*") if path.is_file() and path.suffix != ".lock"]


def test_what_was_fetched_is_the_original_and_then_waits_to_be_processed(
    fetches: Fetches, groups: GroupStore, storage: LocalBlobStorage, server: HostileServer, sent: Sent
) -> None:
    group_id = submit(groups, server.url("/a.jpg"))
    fetches.run(group_id, 0, failures=0)
    with storage.open(original_blob(group_id, 0)) as original:
        assert original.read() == PHOTOGRAPH
    assert sent.messages == [ProcessImage(group_id, 0)]
    assert image(groups, group_id).state is ImageState.QUEUED
    assert groups.begin(group_id, 0, worker="images@test", delivery=0)


def test_a_message_that_comes_twice_fetches_once(
    fetches: Fetches, groups: GroupStore, server: HostileServer, sent: Sent
) -> None:
    group_id = submit(groups, server.url("/a.jpg"))
    fetches.run(group_id, 0, failures=0)
    fetches.run(group_id, 0, failures=0)
    assert len(server.received) == 1
    assert len(sent.messages) == 1


@pytest.mark.parametrize(
    ("path", "told", "code"),
    [
        ("/gone.jpg", answer(404), ProblemCode.URL_NOT_FOUND),
        ("/denied.jpg", answer(403), ProblemCode.FETCH_FAILED),
        ("/page.html", answer(body=b"<!doctype html><title>Sign in</title>"), ProblemCode.UNSUPPORTED_IMAGE),
        ("/empty.jpg", answer(body=b""), ProblemCode.DAMAGED_IMAGE),
        ("/cut.jpg", answer(body=PHOTOGRAPH[:40]), ProblemCode.DAMAGED_IMAGE),
        ("/large.jpg", answer(body=b"x" * 100_001), ProblemCode.IMAGE_TOO_LARGE),
        ("/wide.png", answer(body=encode(photograph(1200, 1000), "PNG")[:90_000]), ProblemCode.IMAGE_TOO_LARGE),
    ],
)
def test_what_cannot_be_had_fails_its_image_at_once_with_a_code_and_a_reason_and_leaves_nothing(
    fetches: Fetches,
    groups: GroupStore,
    storage: LocalBlobStorage,
    server: HostileServer,
    sent: Sent,
    tmp_path: Path,
    path: str,
    told: bytes,
    code: ProblemCode,
) -> None:
    server.answers[path] = told
    group_id = submit(groups, server.url(path))
    fetches.run(group_id, 0, failures=0)
    failed = image(groups, group_id)
    assert (failed.state, failed.outcome.code) == (ImageState.FAILED, code)
    assert failed.outcome.error
    assert failed.outcome.error.endswith(".")
    assert sent.messages == []
    with pytest.raises(BlobNotFoundError):
        storage.open(original_blob(group_id, 0))
    assert left_over(tmp_path) == []


def test_an_address_that_is_not_public_fails_its_image(fetches: Fetches, groups: GroupStore) -> None:
    group_id = submit(groups, "http://127.0.0.2/", "http://[::ffff:0:10.0.0.1]/")
    for index in (0, 1):
        fetches.run(group_id, index, failures=0)
        assert problem(groups, group_id, index) == ProblemCode.URL_NOT_ALLOWED


def test_a_server_that_fails_is_asked_again_later_and_then_the_image_fails(
    fetches: Fetches, groups: GroupStore, server: HostileServer, sent: Sent
) -> None:
    server.answers["/a.jpg"] = answer(503, Retry_After="20")
    group_id = submit(groups, server.url("/a.jpg"))
    for failures in (0, 1):
        fetches.run(group_id, 0, failures=failures)
        assert sent.messages[-1] == FetchImage(group_id, 0)
        assert 20 <= sent.countdowns[-1] <= 25
        assert sent.headers[-1] == {FAILURES: failures + 1}
        assert image(groups, group_id).state is ImageState.QUEUED
    fetches.run(group_id, 0, failures=2)
    assert len(sent.messages) == 2
    failed = image(groups, group_id)
    assert failed.outcome.code == ProblemCode.FETCH_FAILED
    assert failed.outcome.error == "The URL's server answered 503. It was tried 3 times."


def test_what_a_server_asks_to_wait_is_bounded(
    fetches: Fetches, groups: GroupStore, server: HostileServer, sent: Sent
) -> None:
    server.answers["/a.jpg"] = answer(429, Retry_After="86400")
    fetches.run(submit(groups, server.url("/a.jpg")), 0, failures=0)
    assert 300 <= sent.countdowns[0] <= 375


def test_an_image_of_a_busy_host_waits_for_its_turn_without_a_failure(
    fetches: Fetches, groups: GroupStore, server: HostileServer, sent: Sent
) -> None:
    group_id = submit(groups, server.url("/a.jpg"))
    with fetches.client.slots.hold("127.0.0.1"):
        fetches.run(group_id, 0, failures=1)
    assert sent.messages == [FetchImage(group_id, 0)]
    assert sent.countdowns[0] > 0
    assert sent.headers == [{FAILURES: 1}]
    fetches.run(group_id, 0, failures=1)
    assert sent.messages[1:] == [ProcessImage(group_id, 0)]


def test_storage_that_is_away_is_waited_for(
    fetches: Fetches, groups: GroupStore, server: HostileServer, sent: Sent, tmp_path: Path
) -> None:
    away = replace(fetches, storage=LocalBlobStorage(tmp_path / "away", must_exist=True))
    group_id = submit(groups, server.url("/a.jpg"))
    away.run(group_id, 0, failures=4)
    assert sent.messages == [FetchImage(group_id, 0)]
    away.run(group_id, 0, failures=9)
    assert problem(groups, group_id) == ProblemCode.STORAGE_UNAVAILABLE


def test_a_group_whose_last_image_cannot_be_had_is_announced(
    fetches: Fetches, groups: GroupStore, server: HostileServer, sent: Sent
) -> None:
    terms = Terms(email=Address("a@example.com"), notify=True)
    group_id = submit(groups, server.url("/gone.jpg"), terms=terms)
    fetches.run(group_id, 0, failures=0)
    assert sent.messages == [SendResults(group_id)]


def test_a_group_that_is_cancelled_meanwhile_stays_so(
    fetches: Fetches, groups: GroupStore, server: HostileServer, sent: Sent
) -> None:
    group_id = submit(groups, server.url("/a.jpg"))

    def told(connection: socket.socket, _: Received) -> None:
        groups.cancel(group_id)
        connection.sendall(answer(404))

    server.answers["/a.jpg"] = told
    fetches.run(group_id, 0, failures=0)
    assert image(groups, group_id).state is ImageState.CANCELLED
    assert sent.messages == []


def test_of_a_group_that_is_erased_meanwhile_nothing_is_left(
    fetches: Fetches, groups: GroupStore, server: HostileServer, sent: Sent, tmp_path: Path, redis: Redis
) -> None:
    group_id = submit(groups, server.url("/a.jpg"))

    def told(connection: socket.socket, _: Received) -> None:
        redis.flushall()
        connection.sendall(answer(body=PHOTOGRAPH))

    server.answers["/a.jpg"] = told
    fetches.run(group_id, 0, failures=0)
    assert sent.messages == []
    assert left_over(tmp_path) == []


def test_the_service_fetches_what_its_queue_asks_for(
    groups: GroupStore, server: HostileServer, redis: Redis, redis_url: str, tmp_path: Path
) -> None:
    storage = LocalBlobStorage(tmp_path)
    storage.check()  # whoever took the group in has made the folder
    group_id = submit(groups, server.url("/a.jpg"), server.url("/gone.jpg"), "http://127.0.0.2/")
    celery = make_celery("test", publisher(Settings(redis_url=redis_url)))
    with live_consumer("outbound", Queue.OUTBOUND, redis_url, tmp_path, {"DARKROOM_OUTBOUND_ALLOW": "127.0.0.1"}):
        for index in range(3):
            send(celery, FetchImage(group_id, index))
        wait_for(lambda: queue_length(redis, Queue.IMAGES), limit=20, what="the fetched image to wait for a worker")
        wait_for(lambda: problem(groups, group_id, 2), limit=20, what="the others to fail")
        wait_for(lambda: problem(groups, group_id, 1), limit=20, what="the others to fail")
    assert [problem(groups, group_id, index) for index in range(3)] == [None, "url_not_found", "url_not_allowed"]
    with storage.open(original_blob(group_id, 0)) as original:
        assert original.read() == PHOTOGRAPH


def test_a_slow_host_with_many_images_holds_up_nobody_elses(
    groups: GroupStore, server: HostileServer, redis_url: str, tmp_path: Path
) -> None:
    LocalBlobStorage(tmp_path).check()
    settings = {
        "DARKROOM_OUTBOUND_ALLOW": "127.0.0.0/8",
        "DARKROOM_OUTBOUND_CONCURRENCY": "4",
        "DARKROOM_OUTBOUND_PER_HOST": "2",
    }
    celery = make_celery("test", publisher(Settings(redis_url=redis_url)))
    with hostile_server("127.0.0.3") as slow:
        slow.answers["/a.jpg"] = slow.silent
        group_id = submit(groups, *[slow.url("/a.jpg")] * 20, *[server.url("/a.jpg")] * 10)
        with live_consumer("outbound", Queue.OUTBOUND, redis_url, tmp_path, settings):
            for index in range(30):
                send(celery, FetchImage(group_id, index))
            images = [(group_id, index) for index in range(30)]
            wait_for(
                lambda: len(groups.names_of_originals(images)) == 10, limit=30, what="all images of the other host"
            )
            assert len(slow.received) == 2
            slow.closing.set()
