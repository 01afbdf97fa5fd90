"""A group's events, as the API streams them under gunicorn."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from darkroom_contracts.ids import new_group_id
from darkroom_contracts.problems import ProblemCode
from darkroom_records.groups import GroupStore, NewImage, Outcome
from redis import Redis
from support.event_stream import EventStream
from support.live_api import LiveApi, live_api
from support.redis_keys import CHANGES
from support.waiting import wait_for

RESULT = Outcome(format="jpeg", width=1, height=1, bytes=1, sha256="0")
MOST = 25
SETTINGS = {"DARKROOM_STREAM_HEARTBEAT": "0.2", "DARKROOM_MAX_STREAMS": str(MOST), "DARKROOM_API_THREADS": "4"}


@pytest.fixture(scope="module")
def api(redis_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveApi]:
    """An API of one process, which takes few streams and has a quick heartbeat."""
    with live_api(redis_url, tmp_path_factory.mktemp("storage"), SETTINGS) as api:
        yield api


@pytest.fixture
def group_id(groups: GroupStore) -> str:
    """A group of three images, none of which was begun."""
    group_id = new_group_id()
    groups.create(group_id, [NewImage(name) for name in ("a.jpg", "b.jpg", "c.jpg")], ())
    return group_id


def succeed(groups: GroupStore, group_id: str, *indices: int) -> None:
    """Do the worker's part."""
    for index in indices:
        work = groups.begin(group_id, index, worker="nobody", delivery=0)
        assert work
        groups.succeed(work, RESULT)


def states(images: list[dict[str, object]]) -> dict[object, object]:
    return {image["index"]: image["state"] for image in images}


def open_stream(api: LiveApi, group_id: str) -> EventStream:
    """A stream, as soon as there is a place for it."""
    tried: list[EventStream] = []

    def is_open() -> bool:
        tried.append(EventStream(api.url, group_id))
        return tried[-1].response.ok

    wait_for(is_open, limit=20, what="a place for a stream")
    return tried[-1]


def test_it_begins_with_the_whole_picture(api: LiveApi, group_id: str) -> None:
    with EventStream(api.url, group_id) as stream:
        assert stream.response.headers["Content-Type"].startswith("text/event-stream")
        event = stream.next()
        assert event.name == "status"
        assert event.data == requests.get(f"{api.url}/status/{group_id}", timeout=10).json()


def test_each_change_is_told_with_the_images_that_changed(api: LiveApi, groups: GroupStore, group_id: str) -> None:
    with EventStream(api.url, group_id) as stream:
        stream.next()
        groups.begin(group_id, 1, worker="nobody", delivery=0)
        event = stream.next()
    assert (event.data["group_id"], event.data["state"], event.data["total"]) == (group_id, "processing", 3)
    assert states(event.data["images"]) == {1: "processing"}


def test_all_changes_together_make_the_whole_picture(api: LiveApi, groups: GroupStore, group_id: str) -> None:
    with EventStream(api.url, group_id) as stream:
        seen = states(stream.next().data["images"])
        succeed(groups, group_id, 0, 2, 1)
        *changes, end = stream
    for change in changes:
        seen |= states(change.data["images"])
    assert seen == {0: "succeeded", 1: "succeeded", 2: "succeeded"}
    assert end.name == "end"
    assert (end.data["state"], end.data["completed"]) == ("completed", 3)


def test_the_stream_of_an_ended_group_closes_at_once(api: LiveApi, groups: GroupStore, group_id: str) -> None:
    succeed(groups, group_id, 0)
    groups.cancel(group_id)
    with EventStream(api.url, group_id) as stream:
        status, end = stream
    assert (status.name, status.data["state"]) == ("status", "cancelled")
    assert (end.name, end.data["cancelled"]) == ("end", 2)


def test_a_client_that_comes_back_is_told_only_what_it_missed(api: LiveApi, groups: GroupStore, group_id: str) -> None:
    # Another client holds the group's stream open, so that its changes are known here.
    with EventStream(api.url, group_id) as witness:
        last = witness.next().event_id
        succeed(groups, group_id, 2)
        while states(witness.next().data["images"])[2] != "succeeded":
            pass
        with EventStream(api.url, group_id, last) as stream:
            assert states(stream.next().data["images"]) == {2: "succeeded"}


def test_a_client_that_missed_nothing_is_told_the_next_change(api: LiveApi, groups: GroupStore, group_id: str) -> None:
    with EventStream(api.url, group_id) as stream:
        last = stream.next().event_id
    with EventStream(api.url, group_id, last) as stream:
        stream.comment()
        groups.begin(group_id, 0, worker="nobody", delivery=0)
        assert states(stream.next().data["images"]) == {0: "processing"}


@pytest.mark.parametrize("last", ["", "0", "999", "-1", "yesterday", "1-end-end"])
def test_a_client_whose_last_event_is_unknown_is_told_everything(api: LiveApi, group_id: str, last: str) -> None:
    with EventStream(api.url, group_id, last) as stream:
        assert len(stream.next().data["images"]) == 3


def test_a_client_that_was_told_the_end_is_sent_away(api: LiveApi, groups: GroupStore, group_id: str) -> None:
    groups.cancel(group_id)
    with EventStream(api.url, group_id) as stream:
        status, end = stream
    with EventStream(api.url, group_id, status.event_id) as stream:
        assert [event.name for event in stream] == ["end"]
    with EventStream(api.url, group_id, end.event_id) as stream:
        assert stream.response.status_code == 204


def test_a_group_that_is_tried_again_is_told_of_again(api: LiveApi, groups: GroupStore, group_id: str) -> None:
    for index in range(3):
        work = groups.begin(group_id, index, worker="nobody", delivery=0)
        assert work
        groups.fail(work, "The storage did not answer.", ProblemCode.DAMAGED_IMAGE)
    with EventStream(api.url, group_id) as stream:
        *_, end = stream
    groups.retry(group_id)
    with EventStream(api.url, group_id, end.event_id) as stream:
        assert set(states(stream.next().data["images"]).values()) == {"queued"}


def test_a_silent_stream_says_that_it_is_still_there(api: LiveApi, group_id: str) -> None:
    with EventStream(api.url, group_id) as stream:
        stream.next()
        assert stream.comment() == ": nothing has changed"


def test_an_unknown_group_has_no_events(api: LiveApi) -> None:
    with EventStream(api.url, new_group_id()) as stream:
        assert stream.response.status_code == 404
        assert stream.response.json()["error"] == "Invalid group_id"


def test_the_head_of_a_stream_follows_nothing(api: LiveApi, group_id: str) -> None:
    for _ in range(MOST + 1):
        assert requests.head(f"{api.url}/events/{group_id}", timeout=10).status_code == 200


def test_many_streams_share_one_subscription_and_one_reading(
    api: LiveApi, redis: Redis, groups: GroupStore, group_id: str
) -> None:
    streams = [EventStream(api.url, group_id) for _ in range(20)]
    for stream in streams:
        stream.next()
    assert redis.pubsub_numsub(CHANGES) == [(CHANGES, 1)]
    redis.config_resetstat()
    groups.begin(group_id, 0, worker="nobody", delivery=0)
    for stream in streams:
        assert states(stream.next().data["images"]) == {0: "processing"}
        stream.response.close()
    # One to see that there is something new and four to read it, against eighty.
    assert redis.info("commandstats")["cmdstat_hgetall"]["calls"] <= 10


def test_past_the_limit_streams_are_refused_and_everything_else_is_answered(api: LiveApi, group_id: str) -> None:
    # Places of the tests before are free as soon as a heartbeat finds nobody.
    streams = [open_stream(api, group_id) for _ in range(MOST)]
    with EventStream(api.url, group_id) as one_more:
        assert one_more.response.status_code == 503
        assert int(one_more.response.headers["Retry-After"]) > 0
    assert requests.get(f"{api.url}/status/{group_id}", timeout=10).ok
    for stream in streams:
        assert stream.next().name == "status"
        stream.response.close()
    open_stream(api, group_id).response.close()


def test_a_stopping_server_says_so_and_does_not_wait_for_its_streams(
    redis_url: str, groups: GroupStore, group_id: str, tmp_path: Path
) -> None:
    with live_api(redis_url, tmp_path) as api, EventStream(api.url, group_id) as stream:
        stream.next()
        api.process.send_signal(signal.SIGTERM)
        assert [event.name for event in stream] == ["closing"]
        assert api.process.wait(20) == 0
    assert not groups.read(group_id).state.is_final
