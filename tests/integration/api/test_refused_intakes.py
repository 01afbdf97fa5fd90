"""What the client of an intake was told holds, though Redis failed in the middle of it."""

import os
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event
from typing import Any

import pytest
import requests
from darkroom_api.app import create_app
from darkroom_api.settings import ApiSettings
from darkroom_local.redis_server import serving_process
from darkroom_maintenance.deletion import sweep
from darkroom_records.blobs import LocalBlobStorage
from darkroom_records.groups import GroupStore, Turns
from darkroom_runtime.redis_client import connect
from darkroom_runtime.settings import Settings
from flask import Flask
from redis import Redis
from support.api_cases import close, files_in, png, post_files
from support.attempts import SentTogether
from support.live_api import live_api
from support.redis_keys import groups_to_notify, running_groups
from support.redis_server import RedisServer
from support.tcp_proxy import Proxy
from support.waiting import wait_for

KEY = {"Idempotency-Key": "one"}
AT_ONCE = -1.0
"""The patience of a sweep that waits for nobody."""


@pytest.fixture
def proxy(redis: Redis) -> Iterator[Proxy]:
    """A network between the API and Redis."""
    address = redis.connection_pool.connection_kwargs
    with Proxy(address["host"], address["port"]) as network:
        yield network


@pytest.fixture
def distant(proxy: Proxy, tmp_path: Path) -> Iterator[Flask]:
    """An application behind that network. It knows all scripts, and what time it is."""
    app = create_app(ApiSettings(redis_url=f"redis://127.0.0.1:{proxy.port}/0", storage_dir=tmp_path))
    assert post_files(app.test_client(), [("a.png", png())]).status_code == 202
    yield app
    close(app)


def read(storage: LocalBlobStorage, key: str) -> bytes:
    with storage.open(key) as blob:
        return blob.read()


def forget_the_first(redis: Redis, groups: GroupStore, storage: LocalBlobStorage) -> None:
    for group_id in running_groups(redis):
        groups.delete(group_id)
    redis.delete("images")
    sweep(groups, storage, SentTogether(), patience=60)


def test_what_is_refused_because_its_record_is_in_doubt_leaves_nothing(
    redis: Redis, groups: GroupStore, proxy: Proxy, distant: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage = LocalBlobStorage(tmp_path)
    forget_the_first(redis, groups, storage)
    store: GroupStore = distant.extensions["darkroom"].groups
    create = store.create

    def in_doubt(*arguments: Any, **others: Any) -> float:
        proxy.drop_reply(b"EVALSHA", times=2)  # the record is written, and nobody hears of that
        try:
            return create(*arguments, **others)
        finally:
            proxy.freeze()

    monkeypatch.setattr(store, "create", in_doubt)
    answer = post_files(distant.test_client(), [("a.png", png())], headers=KEY, email="ada@example.org", notify="true")
    assert answer.status_code == 503
    monkeypatch.undo()
    proxy.pass_everything()
    assert redis.keys("darkroom:group:*") != []
    sweep(groups, storage, SentTogether(), patience=AT_ONCE)
    assert redis.keys("darkroom:group:*") == []
    assert files_in(tmp_path) == []
    assert groups_to_notify(redis) == []
    assert redis.llen("images") == 0
    assert post_files(distant.test_client(), [("a.png", png())], headers=KEY).status_code == 202


def test_an_unfinished_intake_is_left_alone_for_a_while(groups: GroupStore, tmp_path: Path) -> None:
    storage = LocalBlobStorage(tmp_path)
    group_id = "0123456789abcdef0123456789abcdef"
    groups.create(group_id, [], (), confirmed=False)
    storage.put(f"groups/{group_id}/in/0", b"original")
    sweep(groups, storage, SentTogether(), patience=30)
    assert groups.exists(group_id)
    assert list(groups.take_lost_images(oldest_waiting=9e9, grace=-1, max_hold=100)) == []
    assert groups.confirm(group_id) is not None
    sweep(groups, storage, SentTogether(), patience=AT_ONCE)
    assert groups.exists(group_id)
    assert read(storage, f"groups/{group_id}/in/0") == b"original"


@pytest.mark.parametrize("is_done", [True, False])
def test_what_is_accepted_while_its_confirmation_is_in_doubt_is_worked_on(
    redis: Redis,
    groups: GroupStore,
    proxy: Proxy,
    distant: Flask,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    is_done: bool,
) -> None:
    storage = LocalBlobStorage(tmp_path)
    forget_the_first(redis, groups, storage)
    store: GroupStore = distant.extensions["darkroom"].groups
    confirm = store.confirm

    def in_doubt(group_id: str) -> Turns | None:
        if is_done:
            proxy.drop_reply(b"EVALSHA", times=2)
            return confirm(group_id)
        with proxy.frozen():
            return confirm(group_id)

    monkeypatch.setattr(store, "confirm", in_doubt)
    answer = post_files(distant.test_client(), [("a.png", png())])
    proxy.pass_everything()
    assert answer.status_code == 202
    group_id = answer.get_json()["group_id"]
    assert (group_id in groups.unfinished()) is not is_done
    sweep(groups, storage, SentTogether(), patience=AT_ONCE)
    assert running_groups(redis) == [group_id]
    lost = list(groups.take_lost_images(oldest_waiting=9e9, grace=-1, max_hold=100))
    assert [(found.group_id, found.indices) for found in lost] == [(group_id, (0,))]
    assert read(storage, f"groups/{group_id}/in/0") == png()


def test_while_redis_is_frozen_every_client_is_told_what_holds(tmp_path: Path) -> None:
    blobs = tmp_path / "blobs"
    (tmp_path / "redis").mkdir()
    with RedisServer(tmp_path / "redis") as server, live_api(server.url, blobs) as api:
        process = serving_process(server.port)
        assert process is not None
        frozen, told = Event(), list[requests.Response]()

        def ask(number: int) -> requests.Response:
            files = {"images": (f"{number}.png", png(), "image/png")}
            return requests.post(f"{api.url}/process_images", files=files, timeout=120)

        def ask_until_frozen(number: int) -> None:
            while not frozen.is_set():
                told.append(ask(number))
            told.append(ask(number))

        with ThreadPoolExecutor(8) as pool:
            asking = [pool.submit(ask_until_frozen, number) for number in range(8)]
            wait_for(lambda: len(told) >= 8, limit=60, what="some groups")
            os.kill(process, signal.SIGSTOP)
            try:
                frozen.set()
                for each in asking:
                    each.result(120)
            finally:
                os.kill(process, signal.SIGCONT)
        with connect(Settings(redis_url=server.url)) as redis:
            groups = GroupStore(redis)
            sweep(groups, LocalBlobStorage(blobs), SentTogether(), patience=AT_ONCE)
            accepted = {answer.json()["group_id"] for answer in told if answer.status_code == 202}
            assert {answer.status_code for answer in told} == {202, 503}
            assert set(running_groups(redis)) == accepted
            assert len(redis.keys("darkroom:group:*:items")) == len(accepted)
            assert files_of_groups(blobs) == accepted


def files_of_groups(blobs: Path) -> set[str]:
    for name in files_in(blobs):
        assert name.startswith("groups/"), name
    return {name.split("/")[1] for name in files_in(blobs) if name.endswith("/in/0")}
