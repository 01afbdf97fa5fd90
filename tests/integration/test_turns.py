"""Images take turns: against a real Redis, what the queue holds of each owner, and that nobody is forgotten."""

import time

import pytest
from darkroom_contracts.ids import new_group_id
from darkroom_contracts.messages import ProcessImage
from darkroom_contracts.problems import ProblemCode
from darkroom_contracts.states import GroupState
from darkroom_records.groups import (
    BacklogFullError,
    BacklogLimits,
    GroupStore,
    NewImage,
    Outcome,
    Terms,
    Turns,
    Work,
)
from darkroom_runtime.workers import WorkerFacts, heartbeat_key, renew
from redis import Redis
from support.redis_keys import group_record, lasting_keys

WORKER = "images@a/1"
WINDOW = 4
"""Messages of one owner while no worker is known, or two processes are."""


@pytest.fixture(autouse=True)
def _worker_alive(redis: Redis) -> None:
    redis.set(heartbeat_key(WORKER), "alive")


def submit(groups: GroupStore, number: int, owner: str | None = "ada", **terms: object) -> tuple[str, Turns]:
    group_id = new_group_id()
    images = [NewImage(f"{index}.jpg") for index in range(number)]
    groups.create(group_id, images, (), Terms(owner=owner, **terms), confirmed=False)  # type: ignore[arg-type]
    turns = groups.confirm(group_id)
    assert turns is not None
    return group_id, turns


def named(turns: Turns) -> list[tuple[str, int]]:
    return [(turn.group_id, turn.index) for turn in turns.images]


def begin(groups: GroupStore, group_id: str, index: int) -> Work:
    work = groups.begin(group_id, index, worker=WORKER, delivery=0)
    assert work is not None
    return work


def lost(groups: GroupStore, *, oldest_waiting: float = 9e9, grace: float = -60) -> list[tuple[str, int]]:
    found = groups.take_lost_images(oldest_waiting=oldest_waiting, grace=grace, max_hold=130)
    return [(group.group_id, index) for group in found for index in group.indices]


def due(groups: GroupStore, *, oldest_waiting: float = 0, grace: float = 60) -> list[tuple[str, int]]:
    found = groups.take_lost_images(oldest_waiting=oldest_waiting, grace=grace, max_hold=130)
    return [image for group in found for image in named(group.turns)]


def test_the_queue_gets_a_window_of_a_large_group_and_each_end_sends_the_next(groups: GroupStore) -> None:
    group_id, turns = submit(groups, 20)
    assert named(turns) == [(group_id, index) for index in range(WINDOW)]
    ended = groups.succeed(begin(groups, group_id, 1), Outcome())
    assert named(ended.turns) == [(group_id, WINDOW)]
    ended = groups.fail(begin(groups, group_id, 0), "Damaged.", ProblemCode.DAMAGED_IMAGE)
    assert named(ended.turns) == [(group_id, WINDOW + 1)]
    begin(groups, group_id, 2)
    ended = groups.give_up(group_id, 2, worker=WORKER, error="Slow.", code=ProblemCode.TIME_LIMIT_EXCEEDED)
    assert named(ended.turns) == [(group_id, WINDOW + 2)]


def test_all_images_of_a_group_get_their_turn_in_their_order(groups: GroupStore, redis: Redis) -> None:
    group_id, turns = submit(groups, 30)
    waiting, order = named(turns), []
    while waiting:
        order.append(waiting.pop(0))
        waiting += named(groups.succeed(begin(groups, *order[-1]), Outcome()).turns)
        assert len(waiting) <= WINDOW
    assert order == [(group_id, index) for index in range(30)]
    assert groups.read(group_id).state is GroupState.COMPLETED
    assert [key for key in lasting_keys(redis) if ":turns:" in key or ":sent:" in key or ":waiting" in key] == []
    assert groups.backlog("ada").total == 0


def test_a_message_is_sent_for_the_request_of_its_image_and_at_the_time_of_its_turn(groups: GroupStore) -> None:
    first, turns = submit(groups, WINDOW, request_id="r1")
    second, _ = submit(groups, 1, request_id="r2")
    ended = groups.succeed(begin(groups, first, 0), Outcome())
    assert [(turn.group_id, turn.request_id) for turn in ended.turns.images] == [(second, "r2")]
    assert ended.turns.published_at >= turns.published_at
    sent: list[object] = []
    ended.turns.send(lambda messages, *, published_at: sent.extend([*messages, published_at]))
    assert sent == [ProcessImage(second, 0), ended.turns.published_at]


def test_another_owner_need_not_wait_for_a_large_group(groups: GroupStore) -> None:
    submit(groups, 100, owner="ada")
    group_id, turns = submit(groups, 1, owner="grace")
    assert named(turns) == [(group_id, 0)]


def test_without_keys_each_group_is_an_owner_of_its_own(groups: GroupStore) -> None:
    submit(groups, 100, owner=None)
    group_id, turns = submit(groups, 100, owner=None)
    assert named(turns) == [(group_id, index) for index in range(WINDOW)]


def test_the_groups_of_an_owner_take_turns_so_that_splitting_a_job_gains_nothing(groups: GroupStore) -> None:
    large, turns = submit(groups, 100)
    small = [submit(groups, 10)[0] for _ in range(2)]
    waiting, order = named(turns), []
    for _ in range(9):
        ended = groups.succeed(begin(groups, *waiting.pop(0)), Outcome())
        waiting += named(ended.turns)
        order += [group_id for group_id, _ in named(ended.turns)]
    assert order == [large, *small] * 3


def test_the_window_is_two_images_for_each_process_that_is_alive(groups: GroupStore, redis: Redis) -> None:
    for name, queues, concurrency in (("a", ("images",), 3), ("b", ("images",), 2), ("c", ("mail",), 9)):
        renew(redis, f"{name}/1", WorkerFacts(f"images@{name}", queues, concurrency, 0, 0, 0))
    group_id, turns = submit(groups, 100)
    assert len(turns.images) == 10
    renew(redis, "d/1", WorkerFacts("images@d", ("images",), 1, 0, 0, 0))
    redis.delete("darkroom:window")  # which would expire within seconds
    assert due(groups) == [(group_id, 10), (group_id, 11)]


def test_a_cancelled_group_gives_its_place_to_others_and_is_sent_no_more(groups: GroupStore) -> None:
    first, _ = submit(groups, 50)
    second, turns = submit(groups, 50)
    assert not turns
    begin(groups, first, 0)
    cancelled = groups.cancel(first)
    assert (cancelled.never_started, cancelled.aborted) == (49, (0,))
    assert named(cancelled.turns) == [(second, index) for index in range(WINDOW)]
    assert groups.backlog("ada").of_owner == 50


def test_a_deadline_gives_the_place_to_others_too(groups: GroupStore) -> None:
    first, _ = submit(groups, 50, deadline=time.time() - 1)
    second, _ = submit(groups, 2)
    expired = groups.end_at_deadline(first)
    assert expired is not None
    assert named(expired.turns) == [(second, 0), (second, 1)]


def test_a_deleted_group_leaves_nothing_behind_and_its_place_is_filled(groups: GroupStore, redis: Redis) -> None:
    first, _ = submit(groups, 50)
    second, _ = submit(groups, 1)
    begin(groups, first, 0)
    groups.delete(first)
    assert due(groups) == [(second, 0)]
    groups.delete(second)
    for group_id in (first, second):
        groups.blobs_deleted(group_id)
    redis.delete(heartbeat_key(WORKER))
    assert [key for key in lasting_keys(redis) if ":figures:" not in key] == []


def test_what_was_taken_in_and_not_confirmed_waits_for_no_turn(groups: GroupStore, redis: Redis) -> None:
    group_id = new_group_id()
    groups.create(group_id, [NewImage("a")] * 9, (), Terms(owner="ada"), confirmed=False)
    assert due(groups) == []
    assert groups.backlog("ada").of_owner == 9, "it has its place in the backlog all the same"
    assert groups.abandon(group_id, patience=-1)
    groups.blobs_deleted(group_id)
    redis.delete(heartbeat_key(WORKER))
    assert lasting_keys(redis) == []


def test_retried_images_wait_for_their_turn_and_begin_anew(groups: GroupStore) -> None:
    group_id, turns = submit(groups, 10)
    waiting = named(turns)
    while waiting:
        work = begin(groups, *waiting.pop(0))
        waiting += named(groups.fail(work, "Damaged.", ProblemCode.DAMAGED_IMAGE).turns)
    again = groups.retry(group_id)
    assert again.indices == tuple(range(10))
    assert named(again.turns) == [(group_id, index) for index in range(WINDOW)]
    assert groups.backlog("ada").of_owner == 10


def test_a_fetched_image_waits_for_its_turn(groups: GroupStore) -> None:
    group_id = new_group_id()
    url = "https://example.org/a.jpg"
    images = [NewImage(str(index), url=url) for index in range(WINDOW + 2)]
    groups.create(group_id, images, (), Terms(owner="ada"), confirmed=False)
    confirmed = groups.confirm(group_id)
    assert confirmed is not None
    assert not confirmed
    sent = []
    for index in range(WINDOW + 2):
        fetch = groups.begin_fetch(group_id, index, worker=WORKER, delivery=0)
        assert fetch
        turns = groups.fetched(fetch)
        assert turns is not None
        sent.append(len(turns.images))
    assert sent == [1] * WINDOW + [0, 0]
    ended = groups.succeed(begin(groups, group_id, 0), Outcome())
    assert named(ended.turns) == [(group_id, WINDOW)]


def test_recovery_sends_a_lost_window_again_and_not_what_waits_for_its_turn(groups: GroupStore) -> None:
    group_id, turns = submit(groups, 50)
    assert lost(groups, oldest_waiting=turns.published_at) == []
    assert lost(groups) == named(turns)
    assert lost(groups, oldest_waiting=turns.published_at) == []
    begin(groups, group_id, 0)
    assert lost(groups) == named(turns)[1:], "what is begun by a living worker is not lost"


def test_recovery_sends_what_the_end_of_an_image_did_not(groups: GroupStore) -> None:
    group_id, _ = submit(groups, 50)
    for index in range(WINDOW):
        groups.succeed(begin(groups, group_id, index), Outcome())  # and its worker dies before it sends the next
    assert lost(groups) == [(group_id, index) for index in range(WINDOW, 2 * WINDOW)]


def test_a_place_that_another_version_did_not_free_is_free_again(groups: GroupStore, redis: Redis) -> None:
    group_id, _ = submit(groups, 50)
    begin(groups, group_id, 0)
    redis.hset(f"{group_record(group_id)}:states", "0", "succeeded")
    redis.hincrby(group_record(group_id), "processing", -1)
    redis.hincrby(group_record(group_id), "succeeded", 1)
    assert due(groups) == [(group_id, WINDOW)]


def test_a_group_of_the_version_before_ends_and_what_it_lost_is_found(groups: GroupStore, redis: Redis) -> None:
    group_id, _ = submit(groups, 6)
    for key in redis.keys("darkroom:*:waiting") + redis.keys("darkroom:turns:*") + redis.keys("darkroom:sent:*"):
        redis.delete(key)
    redis.delete("darkroom:backlog")
    redis.hdel(group_record(group_id), "counted")
    groups.succeed(begin(groups, group_id, 5), Outcome())
    waiting = due(groups, oldest_waiting=9e9, grace=-60)
    assert waiting == [(group_id, index) for index in range(WINDOW)]
    while waiting:
        waiting += named(groups.succeed(begin(groups, *waiting.pop(0)), Outcome()).turns)
    assert groups.read(group_id).state is GroupState.COMPLETED
    assert groups.backlog("ada") == groups.backlog()
    assert groups.backlog().total == 0


def test_a_stray_message_may_begin_an_image_before_its_turn(groups: GroupStore) -> None:
    group_id, _ = submit(groups, WINDOW + 2)
    groups.succeed(begin(groups, group_id, WINDOW + 1), Outcome())
    ended = groups.succeed(begin(groups, group_id, 0), Outcome())
    assert named(ended.turns) == [(group_id, WINDOW)]
    assert not groups.succeed(begin(groups, group_id, 1), Outcome()).turns


def test_more_images_than_may_wait_are_refused_and_leave_nothing(groups: GroupStore, redis: Redis) -> None:
    limits = BacklogLimits(total=10, per_owner=6)
    images = [NewImage("a")] * 4

    def create(owner: str | None) -> None:
        groups.create(new_group_id(), images, (), Terms(owner=owner), limits=limits)

    create("ada")
    before = lasting_keys(redis)
    with pytest.raises(BacklogFullError):
        create("ada")
    assert lasting_keys(redis) == before
    create("grace")
    for owner in (None, "alan"):
        with pytest.raises(BacklogFullError):
            create(owner)
    assert (groups.backlog("ada").of_owner, groups.backlog().total) == (4, 8)


def test_a_retry_that_finds_too_many_waiting_changes_nothing(groups: GroupStore) -> None:
    group_id, _ = submit(groups, 2)
    for index in range(2):
        groups.fail(begin(groups, group_id, index), "Damaged.", ProblemCode.DAMAGED_IMAGE)
    before = groups.read(group_id)
    with pytest.raises(BacklogFullError):
        groups.retry(group_id, BacklogLimits(total=1, per_owner=9))
    assert groups.read(group_id) == before
    assert groups.retry(group_id, BacklogLimits(total=2, per_owner=2)).indices == (0, 1)


def test_images_begun_make_room_in_the_backlog_and_those_put_back_take_it_again(groups: GroupStore) -> None:
    group_id, _ = submit(groups, 3)
    work = begin(groups, group_id, 0)
    assert groups.backlog("ada").of_owner == 2
    groups.release(work, seconds=1)
    assert groups.backlog("ada").of_owner == 3
    groups.cancel(group_id)
    assert (groups.backlog("ada").of_owner, groups.backlog().total) == (0, 0)
