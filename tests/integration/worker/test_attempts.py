"""What comes of an image for each thing that can happen to it, without Celery."""

import hashlib
import multiprocessing
import struct
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from threading import Timer
from typing import Any

import pytest
from darkroom_contracts.messages import Message, ProcessImage, SendResults
from darkroom_contracts.problems import ProblemCode
from darkroom_contracts.states import GroupState, ImageState
from darkroom_records.blobs import result_blob
from darkroom_records.groups import MAX_ATTEMPTS, Terms
from darkroom_worker.attempts import fail_killed
from darkroom_worker.deadline import DeadlineError
from darkroom_worker.storage_waits import MAX_FAILURES, STORAGE_FAILURES
from PIL import Image
from redis import Redis
from structlog.testing import capture_logs
from support.attempts import GROUP, MAILED, TIME_LIMIT, WORKER, Bench
from support.pictures import decode, encode
from support.redis_troubles import full, refusals
from support.waiting import wait_for

WEBP = [{"op": "convert", "format": "webp"}]
EMAIL: tuple[Message, float, Mapping[str, Any]] = (SendResults(GROUP), 0, {})

WhileEncoding = Callable[[Callable[[], object]], None]


class UnheardError(Exception):
    """Of a kind that nobody knows."""


def test_an_image_succeeds_with_the_facts_of_its_stored_result(bench: Bench, jpeg: bytes) -> None:
    bench.create(jpeg, pipeline=[{"op": "resize", "width": 100}])
    image = bench.run()
    with bench.storage.open(result_blob(GROUP, 0)) as blob:
        result = blob.read()
    assert image.state is ImageState.SUCCEEDED
    assert decode(result).size == (image.outcome.width, image.outcome.height) == (100, 75)
    assert (image.outcome.bytes, image.outcome.sha256) == (len(result), hashlib.sha256(result).hexdigest())
    assert bench.sent == []


def test_the_last_image_of_a_group_whose_results_are_to_be_mailed_asks_for_the_email(bench: Bench, jpeg: bytes) -> None:
    bench.create(jpeg, b"damaged", terms=MAILED)
    bench.run(0)
    assert bench.sent == []
    bench.run(1)
    assert bench.sent == [EMAIL]


def test_an_image_that_has_ended_is_not_processed_again(bench: Bench, jpeg: bytes) -> None:
    bench.create(jpeg, terms=MAILED)
    before = bench.run()
    with capture_logs() as logs:
        assert bench.run(delivery=1) == before
    assert [entry["event"] for entry in logs] == ["image_skipped"]
    assert bench.sent == [EMAIL]


def test_the_record_says_where_the_time_of_an_attempt_went(bench: Bench, jpeg: bytes) -> None:
    bench.create(jpeg)
    before = time.time() - 0.001  # times are recorded to the millisecond
    outcome = bench.run(0).outcome
    assert list(outcome.steps) == ["read", "process", "store"]
    assert outcome.began_at is not None
    assert outcome.ended_at is not None
    assert before <= outcome.began_at < outcome.began_at + outcome.steps["process"] <= outcome.ended_at + 0.005


def test_an_image_that_fails_says_how_far_it_came(bench: Bench) -> None:
    bench.create(b"damaged")
    outcome = bench.run().outcome
    assert list(outcome.steps) == ["read", "process"]
    assert outcome.ended_at is not None


def test_an_image_of_an_unknown_group_is_skipped(bench: Bench) -> None:
    with capture_logs() as logs:
        bench.attempts.run(GROUP, 0, delivery=0, storage_failures=0)
    assert [entry["event"] for entry in logs] == ["image_skipped"]


def test_an_image_that_used_up_its_attempts_has_failed(bench: Bench, jpeg: bytes) -> None:
    bench.create(jpeg)
    for delivery in range(MAX_ATTEMPTS):
        bench.groups.begin(GROUP, 0, worker=WORKER, delivery=delivery)
    assert bench.run(delivery=MAX_ATTEMPTS).outcome.code is ProblemCode.WORKER_CRASHED


@pytest.mark.parametrize(
    ("original", "pipeline", "code", "sentence"),
    [
        (b"no image", [], ProblemCode.UNSUPPORTED_IMAGE, "Unsupported image format"),
        (b"\xff\xd8\xff\xe0 cut off", [], ProblemCode.DAMAGED_IMAGE, "ends too early"),
        (bytes(1_000_001), [], ProblemCode.IMAGE_TOO_LARGE, "the limit is 1 MB"),
        (None, [{"op": "sparkle"}], ProblemCode.OPERATION_FAILED, "unknown operation 'sparkle'"),
    ],
    ids=["no image", "damaged", "too large", "unknown operation"],
)
def test_an_image_that_cannot_be_processed_fails_with_the_reason(
    bench: Bench,
    jpeg: bytes,
    original: bytes | None,
    pipeline: list[dict[str, object]],
    code: ProblemCode,
    sentence: str,
) -> None:
    bench.create(original or jpeg, pipeline=pipeline)
    image = bench.run()
    assert (image.state, image.outcome.code) == (ImageState.FAILED, code)
    assert sentence in (image.outcome.error or "")


@pytest.mark.parametrize(
    ("error", "code", "sentence"),
    [
        (RuntimeError("broken"), ProblemCode.INTERNAL_ERROR, "Encoding the result as WebP failed unexpectedly."),
        (struct.error("broken"), ProblemCode.INTERNAL_ERROR, "Encoding the result as WebP failed unexpectedly."),
        (OSError(28, "broken"), ProblemCode.INTERNAL_ERROR, "Encoding the result as WebP failed unexpectedly."),
        (UnheardError("broken"), ProblemCode.INTERNAL_ERROR, "Processing failed unexpectedly."),
        (
            MemoryError(),
            ProblemCode.OUT_OF_MEMORY,
            "Processing this image needs more memory than is available. Try a smaller image.",
        ),
        (
            DeadlineError(),
            ProblemCode.TIME_LIMIT_EXCEEDED,
            f"Processing took longer than {TIME_LIMIT} seconds; giving up.",
        ),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_whatever_is_raised_on_the_way_fails_the_image_at_once(
    bench: Bench,
    jpeg: bytes,
    while_encoding: WhileEncoding,
    error: Exception,
    code: ProblemCode,
    sentence: str,
) -> None:
    def fail() -> None:
        raise error

    while_encoding(fail)
    bench.create(jpeg, pipeline=WEBP, terms=MAILED)
    with capture_logs() as logs:
        image = bench.run()
    assert (image.state, image.outcome.code, image.outcome.error) == (ImageState.FAILED, code, sentence)
    assert bench.sent == [EMAIL]
    explained = [entry for entry in logs if entry["event"] == "image_failed_unexpectedly" and entry["exc_info"]]
    assert bool(explained) == (code is ProblemCode.INTERNAL_ERROR), "the log has in full what nobody foresaw"


def test_an_image_whose_original_is_gone_fails_and_asks_for_it(bench: Bench) -> None:
    bench.create(None)
    image = bench.run()
    assert (image.state, image.outcome.code) == (ImageState.FAILED, ProblemCode.ORIGINAL_MISSING)
    assert "Please send it again" in (image.outcome.error or "")


def test_storage_that_fails_one_image_lets_it_wait_and_costs_it_no_attempt(bench: Bench, jpeg: bytes) -> None:
    bench.create(jpeg)
    obstacle = bench.root / "groups" / GROUP / "out"
    obstacle.touch()
    for failures, seconds in ((0, 1), (1, 2), (MAX_FAILURES - 1, 30)):
        assert bench.run(storage_failures=failures).state is ImageState.QUEUED
        assert bench.sent.pop() == (ProcessImage(GROUP, 0), seconds, {STORAGE_FAILURES: failures + 1})
    obstacle.unlink()
    assert bench.run(storage_failures=MAX_FAILURES).state is ImageState.SUCCEEDED
    assert bench.sent == []


def test_an_image_fails_when_storage_that_is_well_fails_it_too_often(bench: Bench, jpeg: bytes) -> None:
    bench.create(jpeg)
    (bench.root / "groups" / GROUP / "out").touch()
    image = bench.run(storage_failures=MAX_FAILURES)
    assert (image.state, image.outcome.code) == (ImageState.FAILED, ProblemCode.STORAGE_UNAVAILABLE)
    assert bench.sent == []


def test_a_storage_that_is_away_holds_the_worker_up_until_it_is_back(bench: Bench, jpeg: bytes) -> None:
    bench.create(jpeg)
    away = bench.root.rename(bench.root.with_name("away"))
    back = Timer(1.2, lambda: away.rename(bench.root))  # the first wait takes a second
    back.start()
    assert bench.run().state is ImageState.QUEUED
    assert bench.root.exists(), "it was waited for"
    assert bench.sent == [(ProcessImage(GROUP, 0), 0, {STORAGE_FAILURES: 1})]
    assert bench.run().state is ImageState.SUCCEEDED


def test_an_image_cancelled_while_storage_fails_it_is_not_sent_again(
    bench: Bench, jpeg: bytes, while_encoding: WhileEncoding
) -> None:
    while_encoding(lambda: bench.groups.cancel(GROUP))
    bench.create(jpeg, pipeline=WEBP)
    (bench.root / "groups" / GROUP / "out").touch()
    assert bench.run().state is ImageState.CANCELLED
    assert bench.sent == []


@pytest.mark.parametrize("error", [None, MemoryError()], ids=["well", "badly"])
def test_an_image_cancelled_while_it_is_processed_stays_cancelled_and_holds_nobody_up(
    bench: Bench, jpeg: bytes, while_encoding: WhileEncoding, error: Exception | None
) -> None:
    def cancel() -> None:
        bench.groups.cancel(GROUP)
        if error:
            raise error

    while_encoding(cancel)
    bench.create(jpeg, pipeline=WEBP, terms=MAILED)
    assert bench.run().state is ImageState.CANCELLED
    assert bench.sent == [], "nobody is mailed the results of what they cancelled"
    assert not bench.groups.has_live_workers(GROUP)


def test_an_image_whose_deadline_passes_while_it_is_processed_has_expired(
    bench: Bench, jpeg: bytes, while_encoding: WhileEncoding
) -> None:
    while_encoding(lambda: bench.groups.end_at_deadline(GROUP))
    bench.create(jpeg, pipeline=WEBP, terms=Terms(deadline=time.time() - 1))
    assert bench.run().state is ImageState.EXPIRED
    assert bench.groups.read(GROUP).state is GroupState.EXPIRED
    assert not bench.groups.has_live_workers(GROUP)


def test_the_end_of_an_image_waits_while_redis_is_full(
    bench: Bench, jpeg: bytes, redis: Redis, while_encoding: WhileEncoding
) -> None:
    bench.create(jpeg, pipeline=WEBP)
    with ExitStack() as trouble:

        def run_full() -> None:
            trouble.enter_context(full(redis))
            before = refusals(redis, "OOM")
            mending.submit(
                lambda: wait_for(lambda: refusals(redis, "OOM") > before, limit=TIME_LIMIT, what="a refusal")
            )
            mending.submit(trouble.close)

        with ThreadPoolExecutor(1) as mending:
            while_encoding(run_full)
            assert bench.run().state is ImageState.SUCCEEDED


def test_an_image_whose_process_was_killed_for_its_time_fails_with_that_reason(bench: Bench, jpeg: bytes) -> None:
    bench.create(jpeg, terms=MAILED)
    bench.groups.begin(GROUP, 0, worker=WORKER, delivery=0)
    fail_killed(bench.groups, bench.sent, bench.next, GROUP, 0, worker=WORKER, time_limit=TIME_LIMIT)
    image = bench.image()
    assert (image.state, image.outcome.code) == (ImageState.FAILED, ProblemCode.TIME_LIMIT_EXCEEDED)
    assert f"longer than {TIME_LIMIT} seconds" in (image.outcome.error or "")
    assert bench.sent == [EMAIL]


def test_an_image_that_another_worker_has_by_now_is_not_failed_for_a_process_that_was_killed(
    bench: Bench, jpeg: bytes
) -> None:
    bench.create(jpeg, terms=MAILED)
    bench.groups.begin(GROUP, 0, worker=WORKER, delivery=0)
    fail_killed(bench.groups, bench.sent, bench.next, GROUP, 0, worker="images@b/1", time_limit=TIME_LIMIT)
    assert bench.groups.read(GROUP).state is GroupState.PROCESSING
    assert bench.sent == []


def test_an_image_for_which_no_memory_becomes_free_goes_back_to_the_queue_as_if_not_tried(
    bench: Bench, jpeg: bytes
) -> None:
    bench.create(jpeg)
    holding = multiprocessing.get_context("fork").Process(target=bench.hold_all_memory)
    holding.start()
    wait_for(lambda: bench.memory.held() == bench.memory.total, limit=60, what="the memory to be taken")
    assert bench.run().state is ImageState.QUEUED
    assert bench.sent == [(ProcessImage(GROUP, 0), 0, {STORAGE_FAILURES: 0})]
    holding.kill()
    holding.join()
    assert bench.run().state is ImageState.SUCCEEDED


def test_an_image_that_needs_more_memory_than_there_is_fails_without_being_decoded(bench: Bench) -> None:
    bench.create(encode(Image.new("RGBA", (447, 447)), "PNG"), pipeline=[{"op": "convert", "format": "avif"}])
    bench.attempts = replace(bench.attempts, processor=replace(bench.attempts.processor, max_need=20_000_000))
    image = bench.run()
    assert image.state is ImageState.FAILED
    assert image.outcome.code is ProblemCode.OUT_OF_MEMORY
