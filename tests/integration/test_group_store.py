"""The group store against a real Redis: what holds when messages come twice, late, or never."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from darkroom_contracts.ids import new_group_id
from darkroom_contracts.problems import ProblemCode
from darkroom_contracts.states import GroupState, ImageState
from darkroom_records.groups import (
    MAX_ATTEMPTS,
    GroupEndedError,
    GroupRunningError,
    GroupStore,
    NewImage,
    Outcome,
    UnknownGroupError,
    Work,
)
from darkroom_runtime.workers import heartbeat_key
from redis import Redis
from support.redis_keys import lasting_keys

LONG_AGO = 0.0
GROUP = "0123456789abcdef0123456789abcdef"


def create(groups: GroupStore, *names: str) -> float:
    return groups.create(GROUP, [NewImage(name) for name in names], [{"op": "blur", "radius": 3}])


def begin(groups: GroupStore, index: int = 0, *, worker: str = "images@a/1", delivery: int = 0) -> Work:
    work = groups.begin(GROUP, index, worker=worker, delivery=delivery)
    assert work is not None
    return work


def lost(
    groups: GroupStore, *, oldest_waiting: float = LONG_AGO, grace: float = 30, max_hold: float = 130
) -> list[int]:
    found = groups.take_lost_images(oldest_waiting=oldest_waiting, grace=grace, max_hold=max_hold)
    return [index for group in found for index in group.indices]


@pytest.fixture(autouse=True)
def _workers_alive(redis: Redis) -> None:
    for worker in ("images@a/1", "images@b/1"):
        redis.set(heartbeat_key(worker), "alive")


def kill(redis: Redis, worker: str) -> None:
    redis.delete(heartbeat_key(worker))


def test_a_new_group_waits_with_all_its_images(groups: GroupStore) -> None:
    create(groups, "one.jpg", "two.jpg")
    group = groups.read(GROUP)
    assert group.state is GroupState.QUEUED
    assert [(image.index, image.name, image.state) for image in group.images] == [
        (0, "one.jpg", ImageState.QUEUED),
        (1, "two.jpg", ImageState.QUEUED),
    ]
    assert group.pipeline == [{"op": "blur", "radius": 3}]


def test_images_that_cannot_be_worked_on_have_failed_from_the_start(groups: GroupStore) -> None:
    groups.create(GROUP, [NewImage("one.jpg"), NewImage("two.txt", error="This is no image.")], ())
    group = groups.read(GROUP)
    assert group.counts.failed == 1
    assert group.images[1].outcome.error == "This is no image."


def test_creating_a_group_twice_is_creating_it_once(groups: GroupStore) -> None:
    published_at = create(groups, "one.jpg")
    begin(groups)
    assert create(groups, "one.jpg") == published_at
    assert groups.read(GROUP).counts.processing == 1


def test_an_unknown_group_cannot_be_read(groups: GroupStore) -> None:
    with pytest.raises(UnknownGroupError):
        groups.read(new_group_id())


def test_an_image_of_an_unknown_group_gives_nothing_to_do(groups: GroupStore) -> None:
    assert groups.begin(GROUP, 0, worker="images@a/1", delivery=0) is None


def test_a_group_moves_forward_with_its_images_until_it_ends(groups: GroupStore) -> None:
    create(groups, "one.jpg", "two.jpg")
    first = begin(groups, 0)
    assert groups.read(GROUP).state is GroupState.PROCESSING
    assert groups.succeed(first, Outcome(width=4, height=3))
    assert groups.read(GROUP).finished_at is None
    assert groups.fail(begin(groups, 1), "It is damaged.", ProblemCode.DAMAGED_IMAGE)
    group = groups.read(GROUP)
    assert group.state is GroupState.PARTIAL
    assert group.finished_at is not None
    assert group.images[0].outcome == Outcome(width=4, height=3)
    assert group.images[1].outcome.error == "It is damaged."


def test_every_change_makes_a_new_version(groups: GroupStore) -> None:
    create(groups, "one.jpg")
    versions = [groups.read(GROUP).version]
    work = begin(groups)
    versions.append(groups.read(GROUP).version)
    groups.succeed(work, Outcome())
    versions.append(groups.read(GROUP).version)
    assert versions == sorted(set(versions))


def test_an_image_with_operations_of_its_own_gets_those(groups: GroupStore) -> None:
    groups.create(
        GROUP,
        [NewImage("one.jpg", pipeline=[{"op": "resize", "width": 5}]), NewImage("two.jpg", pipeline=[])],
        [{"op": "blur"}],
    )
    assert begin(groups, 0).pipeline == [{"op": "resize", "width": 5}]
    assert begin(groups, 1).pipeline == []


def test_a_message_delivered_twice_is_worked_on_once(groups: GroupStore) -> None:
    create(groups, "one.jpg")
    begin(groups, worker="images@a/1")
    assert groups.begin(GROUP, 0, worker="images@b/1", delivery=0) is None


def test_of_many_deliveries_at_the_same_moment_one_begins(groups: GroupStore) -> None:
    create(groups, "one.jpg")
    with ThreadPoolExecutor(16) as pool:
        begun = list(pool.map(lambda _: groups.begin(GROUP, 0, worker="images@a/1", delivery=0), range(64)))
    assert sum(work is not None for work in begun) == 1


def test_an_ended_image_is_never_begun_again(groups: GroupStore) -> None:
    create(groups, "one.jpg")
    groups.succeed(begin(groups), Outcome())
    assert groups.begin(GROUP, 0, worker="images@b/1", delivery=3) is None


def test_ending_an_image_twice_is_ending_it_once(groups: GroupStore) -> None:
    create(groups, "one.jpg")
    work = begin(groups)
    assert groups.succeed(work, Outcome(width=1))
    assert not groups.fail(work, "Too late.", ProblemCode.DAMAGED_IMAGE)
    assert groups.read(GROUP).state is GroupState.COMPLETED


def test_what_a_dead_worker_had_is_begun_by_the_next_delivery(groups: GroupStore, redis: Redis) -> None:
    create(groups, "one.jpg")
    first = begin(groups, worker="images@a/1")
    kill(redis, "images@a/1")
    second = begin(groups, worker="images@b/1")
    assert second.attempt == 2
    assert not groups.succeed(first, Outcome(width=1)), "the worker thought dead must not have the last word"
    assert groups.succeed(second, Outcome(width=2))


def test_a_retry_begins_although_the_worker_of_the_first_try_lives(groups: GroupStore) -> None:
    create(groups, "one.jpg")
    begin(groups, worker="images@a/1", delivery=0)
    assert begin(groups, worker="images@b/1", delivery=1).attempt == 2


def test_a_released_image_may_be_begun_by_anyone(groups: GroupStore) -> None:
    create(groups, "one.jpg")
    assert groups.release(begin(groups, worker="images@a/1"), seconds=5)
    assert groups.read(GROUP).images[0].state is ImageState.QUEUED
    assert begin(groups, worker="images@b/1").attempt == 1, "the storage's failure is no attempt"


def test_a_released_image_counts_as_lost_only_when_its_time_has_come_and_gone(groups: GroupStore) -> None:
    create(groups, "one.jpg")
    groups.release(begin(groups), seconds=5)
    assert lost(groups, oldest_waiting=time.time() + 100, grace=0) == []
    groups.begin(GROUP, 0, worker="images@a/1", delivery=0)
    groups.release(Work(GROUP, 0, 1, ()), seconds=-5)
    assert groups.read(GROUP).recovering == 0
    assert lost(groups, oldest_waiting=time.time() + 100, grace=0) == [0]


def test_an_image_of_a_lost_worker_is_recovering_until_another_one_begins_it(groups: GroupStore, redis: Redis) -> None:
    create(groups, "one.jpg", "two.jpg")
    begin(groups, 0, worker="images@a/1")
    begin(groups, 1, worker="images@b/1")
    kill(redis, "images@a/1")
    version = groups.read(GROUP).version
    assert lost(groups) == [0]
    group = groups.read(GROUP)
    assert (group.recovering, group.version > version) == (1, True)
    begin(groups, 0, worker="images@b/1")
    after = groups.read(GROUP)
    assert (after.recovering, after.version > group.version) == (0, True)


def test_nothing_is_recovering_in_a_group_that_has_ended(groups: GroupStore, redis: Redis) -> None:
    create(groups, "one.jpg")
    begin(groups, 0, worker="images@a/1")
    kill(redis, "images@a/1")
    assert lost(groups) == [0]
    groups.cancel(GROUP)
    assert groups.read(GROUP).recovering == 0


def test_an_image_that_keeps_ending_its_worker_fails_with_that_reason(groups: GroupStore) -> None:
    create(groups, "bomb.jpg")
    for start in range(MAX_ATTEMPTS):
        begin(groups, worker=f"images@dead/{start}")
    assert groups.begin(GROUP, 0, worker="images@b/1", delivery=0) is None
    group = groups.read(GROUP)
    assert group.state is GroupState.FAILED
    assert "crashed 3 times" in (group.images[0].outcome.error or "")


def test_an_image_given_up_from_outside_has_failed(groups: GroupStore) -> None:
    create(groups, "slow.jpg")
    begin(groups, worker="images@a/1")
    assert not groups.give_up(GROUP, 0, worker="images@b/1", error="Not mine.", code=ProblemCode.TIME_LIMIT_EXCEEDED)
    assert groups.give_up(
        GROUP, 0, worker="images@a/1", error="It took too long.", code=ProblemCode.TIME_LIMIT_EXCEEDED
    )
    assert groups.read(GROUP).images[0].outcome.error == "It took too long."


def test_nothing_is_lost_while_workers_live_and_messages_wait(groups: GroupStore) -> None:
    published_at = create(groups, "one.jpg", "two.jpg")
    begin(groups, 0)
    assert lost(groups, oldest_waiting=published_at, grace=0) == []


def test_what_a_dead_worker_had_is_sent_again_once(groups: GroupStore, redis: Redis) -> None:
    published_at = create(groups, "one.jpg", "two.jpg")
    begin(groups, 1, worker="images@a/1")
    kill(redis, "images@a/1")
    assert lost(groups, oldest_waiting=published_at) == [1]
    assert lost(groups, oldest_waiting=published_at) == []


def test_what_a_living_worker_has_had_for_too_long_is_sent_again(groups: GroupStore) -> None:
    create(groups, "one.jpg")
    begin(groups)
    assert lost(groups, max_hold=0) == [0]


def test_an_image_whose_message_left_the_queue_unbegun_is_sent_again(groups: GroupStore) -> None:
    published_at = create(groups, "one.jpg", "two.jpg")
    assert lost(groups, oldest_waiting=published_at + 1, grace=30) == [], "it was published a moment ago"
    assert lost(groups, oldest_waiting=time.time() + 1, grace=0) == [0, 1]


def test_cancelling_ends_what_waits_and_what_runs_and_keeps_what_is_done(groups: GroupStore) -> None:
    create(groups, "done.jpg", "running.jpg", "waiting.jpg")
    groups.succeed(begin(groups, 0), Outcome(width=1))
    running = begin(groups, 1)
    receipt = groups.cancel(GROUP)
    assert (receipt.finished, receipt.aborted, receipt.never_started) == (1, (1,), 1)
    assert not groups.succeed(running, Outcome(width=2)), "nothing may be written after the receipt"
    assert groups.begin(GROUP, 2, worker="images@a/1", delivery=0) is None
    group = groups.read(GROUP)
    assert group.state is GroupState.CANCELLED
    assert group.finished_at is not None
    assert [image.state for image in group.images] == [
        ImageState.SUCCEEDED,
        ImageState.CANCELLED,
        ImageState.CANCELLED,
    ]


def test_an_aborted_image_is_held_until_its_worker_lets_go_or_dies(groups: GroupStore, redis: Redis) -> None:
    create(groups, "one.jpg", "two.jpg")
    begin(groups, 0, worker="images@a/1")
    begin(groups, 1, worker="images@b/1")
    groups.cancel(GROUP)
    assert groups.has_live_workers(GROUP)
    assert groups.confirm_aborted(GROUP, 0)
    assert not groups.confirm_aborted(GROUP, 0)
    assert groups.has_live_workers(GROUP)
    kill(redis, "images@b/1")
    assert not groups.has_live_workers(GROUP)


def test_an_image_that_ends_between_its_cancellation_and_its_revocation_is_let_go(groups: GroupStore) -> None:
    create(groups, "done.jpg", "damaged.jpg", "unlucky.jpg", "slow.jpg")
    works = [begin(groups, index) for index in range(4)]
    groups.cancel(GROUP)
    assert not groups.succeed(works[0], Outcome(width=1))
    assert not groups.fail(works[1], "It is damaged.", ProblemCode.DAMAGED_IMAGE)
    assert not groups.release(works[2], seconds=5)
    assert groups.has_live_workers(GROUP)
    assert not groups.give_up(
        GROUP, 3, worker="images@a/1", error="It took too long.", code=ProblemCode.TIME_LIMIT_EXCEEDED
    )
    assert not groups.has_live_workers(GROUP)
    assert [image.state for image in groups.read(GROUP).images] == [ImageState.CANCELLED] * 4


def test_an_attempt_that_is_not_the_latest_does_not_let_go_for_it(groups: GroupStore, redis: Redis) -> None:
    create(groups, "one.jpg")
    first = begin(groups, worker="images@a/1")
    kill(redis, "images@a/1")
    begin(groups, worker="images@b/1")
    groups.cancel(GROUP)
    assert not groups.succeed(first, Outcome(width=1))
    assert groups.has_live_workers(GROUP)


def test_an_ended_group_cannot_be_cancelled(groups: GroupStore) -> None:
    create(groups, "one.jpg")
    groups.succeed(begin(groups), Outcome())
    with pytest.raises(GroupEndedError):
        groups.cancel(GROUP)
    with pytest.raises(UnknownGroupError):
        groups.cancel(new_group_id())


def test_a_retry_runs_the_failed_images_again_and_only_those(groups: GroupStore) -> None:
    groups.create(GROUP, [NewImage("good"), NewImage("unlucky"), NewImage("text", error="This is no image.")], ())
    groups.succeed(begin(groups, 0), Outcome(width=1))
    with pytest.raises(GroupRunningError):
        groups.retry(GROUP)
    groups.fail(begin(groups, 1), "The storage did not answer.", ProblemCode.DAMAGED_IMAGE)
    assert groups.retry(GROUP).indices == (1,)
    assert groups.read(GROUP).state is GroupState.PROCESSING
    assert begin(groups, 1).attempt % 100 == 1, "attempts are not counted anew"
    assert groups.read(GROUP).images[0].outcome.width == 1


def test_a_retry_of_a_group_without_failures_changes_nothing(groups: GroupStore) -> None:
    create(groups, "one.jpg")
    groups.succeed(begin(groups), Outcome())
    before = groups.read(GROUP)
    assert groups.retry(GROUP).indices == ()
    assert groups.read(GROUP) == before


def test_groups_are_found_by_when_they_ended(groups: GroupStore) -> None:
    create(groups, "one.jpg")
    assert groups.due_to_expire(now=time.time(), keep_for=-60) == []
    groups.succeed(begin(groups), Outcome())
    assert groups.due_to_expire(now=time.time(), keep_for=60) == []
    assert groups.due_to_expire(now=time.time(), keep_for=-60) == [GROUP]


def test_a_forgotten_group_leaves_nothing_behind(groups: GroupStore, redis: Redis) -> None:
    create(groups, "one.jpg")
    begin(groups)
    groups.delete(GROUP)
    groups.blobs_deleted(GROUP)
    redis.delete(heartbeat_key("images@a/1"), heartbeat_key("images@b/1"))
    left = [key for key in lasting_keys(redis) if ":figures:" not in key]
    assert left == [], "only the week's figures remember it"


def test_a_worker_that_was_cut_off_ends_nothing_of_the_run_after(redis: Redis, groups: GroupStore) -> None:
    create(groups, "one.jpg")
    cut_off = begin(groups)
    kill(redis, "images@a/1")
    groups.fail(begin(groups, worker="images@b/1"), "Damaged.", ProblemCode.DAMAGED_IMAGE)
    groups.retry(GROUP)
    latest = begin(groups, worker="images@b/1")
    assert not groups.fail(cut_off, "Too long.", ProblemCode.TIME_LIMIT_EXCEEDED)
    assert not groups.release(cut_off, seconds=0)
    assert groups.read(GROUP).counts.processing == 1
    assert groups.release(latest, seconds=0)
    assert groups.succeed(begin(groups), Outcome())
