"""What a group can be asked for as a whole, against a real Redis: outputs, URLs, owners, deadlines, retention."""

import time
from typing import Any

import pytest
from darkroom_contracts.formats import Metadata
from darkroom_contracts.problems import ProblemCode
from darkroom_contracts.states import GroupState, ImageState
from darkroom_records.groups import (
    Fetch,
    GroupEndedError,
    GroupStore,
    NewImage,
    Outcome,
    ResultFacts,
    Terms,
    Work,
)
from darkroom_runtime.workers import heartbeat_key
from redis import Redis
from support.redis_keys import lasting_keys

GROUP = "0123456789abcdef0123456789abcdef"
OTHER = "f" * 32
WORKER = "images@a/1"
FETCHER = "outbound@a/1"
BLUR = {"op": "blur", "radius": 3}
THUMB = {"op": "resize", "width": 100}
FACTS = ResultFacts("jpeg", 100, 75, 1234, "ab" * 32)


@pytest.fixture(autouse=True)
def _workers_alive(redis: Redis) -> None:
    for worker in (WORKER, FETCHER):
        redis.set(heartbeat_key(worker), "alive")


def create(groups: GroupStore, *images: NewImage, group_id: str = GROUP, **terms: Any) -> float:
    return groups.create(group_id, images or [NewImage("a.jpg")], [BLUR], Terms(**terms))


def begin(groups: GroupStore, index: int = 0) -> Work:
    work = groups.begin(GROUP, index, worker=WORKER, delivery=0)
    assert work is not None
    return work


def begin_fetch(groups: GroupStore, index: int = 0) -> Fetch:
    fetch = groups.begin_fetch(GROUP, index, worker=FETCHER, delivery=0)
    assert fetch is not None
    return fetch


def end(groups: GroupStore) -> None:
    groups.fail(begin(groups), "Damaged.", ProblemCode.DAMAGED_IMAGE)


def from_url(name: str = "a.jpg") -> NewImage:
    return NewImage(name, url=f"https://example.org/{name}")


# Outputs


def test_a_worker_is_told_the_outputs_and_what_metadata_they_carry(groups: GroupStore) -> None:
    create(groups, outputs={"thumb": [THUMB], "web": []}, metadata=Metadata.COPYRIGHT)
    work = begin(groups)
    assert (work.pipeline, work.outputs, work.metadata) == ([BLUR], {"thumb": [THUMB], "web": []}, Metadata.COPYRIGHT)


def test_an_image_has_the_facts_of_each_output_and_a_file_in_the_folder_of_each(groups: GroupStore) -> None:
    create(groups, outputs={"thumb": [THUMB], "con": []})
    groups.succeed(begin(groups), Outcome.of({"thumb": FACTS, "con": FACTS}))
    image = groups.read(GROUP).images[0]
    assert image.outcome.results == {"thumb": FACTS, "con": FACTS}
    assert image.files == {"thumb": "thumb/a.jpg", "con": "_con/a.jpg"}


def test_an_image_without_outputs_has_one_result_without_a_name(groups: GroupStore) -> None:
    create(groups)
    assert begin(groups).outputs == {}
    groups.succeed(Work(GROUP, 0, 1, ()), Outcome.of({"": FACTS}))
    image = groups.read(GROUP).images[0]
    assert (image.outcome.results, image.files) == ({"": FACTS}, {"": "a.jpg"})


# URLs


def test_an_image_from_a_url_is_fetched_and_then_processed(groups: GroupStore) -> None:
    create(groups, from_url())
    assert groups.begin(GROUP, 0, worker=WORKER, delivery=0) is None
    fetch = begin_fetch(groups)
    assert fetch.url == "https://example.org/a.jpg"
    assert groups.read(GROUP).counts.processing == 1
    assert groups.fetched(fetch) is not None
    assert groups.begin_fetch(GROUP, 0, worker=FETCHER, delivery=0) is None
    assert begin(groups).attempt == 1


def test_what_was_fetched_cannot_be_ended_by_an_earlier_attempt_at_fetching_it(
    redis: Redis, groups: GroupStore
) -> None:
    create(groups, from_url())
    first = begin_fetch(groups)
    redis.delete(heartbeat_key(FETCHER))
    second = groups.begin_fetch(GROUP, 0, worker="outbound@b/1", delivery=0)
    assert second is not None
    groups.fetched(second)
    begin(groups)  # the first attempt to process it
    assert groups.fetched(first) is None
    assert not groups.fail_fetch(first, "Too slow.", ProblemCode.INTERNAL_ERROR)
    assert not groups.release(first, seconds=1)
    assert groups.read(GROUP).counts.processing == 1


def test_an_image_that_was_cancelled_while_it_was_fetched_is_not_processed(groups: GroupStore) -> None:
    create(groups, from_url())
    fetch = begin_fetch(groups)
    assert groups.cancel(GROUP).aborted == (0,)
    assert not groups.has_live_workers(GROUP), "nobody waits for a download to end"
    assert groups.fetched(fetch) is None


def test_a_failed_fetch_is_fetched_again_on_retry(groups: GroupStore) -> None:
    create(groups, from_url("a.jpg"), NewImage("b.jpg"))
    groups.fail_fetch(begin_fetch(groups), "Not found.", ProblemCode.INTERNAL_ERROR)
    groups.fail(begin(groups, 1), "Damaged.", ProblemCode.DAMAGED_IMAGE)
    again = groups.retry(GROUP)
    assert (again.indices, again.to_fetch) == ((1,), (0,))


def test_lost_images_are_sent_to_the_queue_that_they_were_lost_from(groups: GroupStore) -> None:
    now = create(groups, from_url("a.jpg"), NewImage("b.jpg"), from_url("c.jpg"))
    groups.fetched(begin_fetch(groups, 2))

    def lost(*, images: float, outbound: float) -> list[tuple[tuple[int, ...], tuple[int, ...]]]:
        found = groups.take_lost_images(oldest_waiting=images, oldest_fetch=outbound, grace=-60, max_hold=100)
        return [(group.indices, group.to_fetch) for group in found]

    assert lost(images=0, outbound=0) == []
    assert lost(images=now + 60, outbound=0) == [((1, 2), ())]
    assert lost(images=0, outbound=now + 60) == [((), (0,))]


def test_a_fetch_whose_service_died_is_fetched_again(redis: Redis, groups: GroupStore) -> None:
    create(groups, from_url())
    begin_fetch(groups)
    redis.delete(heartbeat_key(FETCHER))
    (found,) = groups.take_lost_images(oldest_waiting=0, grace=60, max_hold=100)
    assert (found.indices, found.to_fetch) == ((), (0,))


# Owners


def test_an_owner_has_his_groups_newest_first_until_they_are_deleted(groups: GroupStore) -> None:
    create(groups, owner="ada")
    create(groups, group_id=OTHER, owner="ada")
    create(groups, group_id="0" * 32, owner="bob")
    assert groups.owned("ada") == [OTHER, GROUP]
    assert groups.owned("ada", limit=1) == [OTHER]
    assert groups.owned("ada", before=groups.read(OTHER, images=False).published_at) == [GROUP]
    groups.delete(OTHER)
    assert groups.owned("ada") == [GROUP]


# How long results are kept


def test_a_group_is_kept_for_as_long_as_it_says_from_its_end(groups: GroupStore) -> None:
    create(groups, keep_for=3600)
    end(groups)
    now = time.time()
    assert groups.due_to_expire(now=now, keep_for=0) == []
    assert not groups.expire(GROUP, now=now, keep_for=0)
    assert groups.due_to_expire(now=now + 3601, keep_for=86_400) == [GROUP]
    groups.retry(GROUP)
    assert groups.due_to_expire(now=now + 3601, keep_for=0) == []
    end(groups)
    assert groups.expire(GROUP, now=now + 3660, keep_for=86_400)


# Deadlines


def test_what_has_not_ended_by_the_deadline_expires(groups: GroupStore) -> None:
    create(groups, NewImage("a.jpg"), NewImage("b.jpg"), NewImage("c.jpg"), deadline=time.time() - 1)
    groups.succeed(begin(groups, 0), Outcome.of({"": FACTS}))
    begin(groups, 1)
    assert groups.past_deadline(time.time()) == [GROUP]
    ended = groups.end_at_deadline(GROUP)
    assert ended is not None
    assert (ended.finished, ended.aborted, ended.never_started) == (1, (1,), 1)
    group = groups.read(GROUP)
    assert group.state is GroupState.EXPIRED
    assert [image.state for image in group.images] == [ImageState.SUCCEEDED, ImageState.EXPIRED, ImageState.EXPIRED]
    assert not groups.succeed(Work(GROUP, 1, 1, ()), Outcome.of({"": FACTS}))
    assert groups.past_deadline(time.time()) == []


def test_nothing_expires_before_the_deadline_or_once_all_has_ended(groups: GroupStore) -> None:
    create(groups, deadline=time.time() + 60)
    assert groups.past_deadline(time.time()) == []
    assert groups.end_at_deadline(GROUP) is None
    end(groups)
    assert groups.past_deadline(time.time() + 120) == []
    with pytest.raises(GroupEndedError):
        groups.cancel(GROUP)


def test_a_retry_has_no_deadline(groups: GroupStore) -> None:
    create(groups, deadline=time.time() + 60)
    end(groups)
    groups.retry(GROUP)
    assert groups.read(GROUP).deadline is None


def test_nothing_is_left_of_a_deleted_group_but_that_its_blobs_are_to_be_deleted(
    redis: Redis, groups: GroupStore
) -> None:
    before = lasting_keys(redis)
    create(
        groups,
        from_url(),
        owner="ada",
        deadline=time.time() + 60,
        keep_for=60,
        outputs={"a": []},
        metadata=Metadata.ALL,
    )
    groups.cancel(GROUP)
    groups.delete(GROUP)
    groups.blobs_deleted(GROUP)
    assert [key for key in lasting_keys(redis) if key not in before and "figures" not in key] == []
