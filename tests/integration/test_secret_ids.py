"""A group's id is as good as a password: who reads logs or looks at Flower must not be given it."""

import json
import threading
from pathlib import Path
from typing import Any

import pytest
from celery import Celery
from darkroom_contracts.ids import celery_id, image_of_task, new_group_id, task_id
from darkroom_contracts.messages import ProcessImage
from darkroom_records.groups import GroupStore, NewImage
from darkroom_runtime.celery_config import make_celery, publisher
from darkroom_runtime.sending import send
from darkroom_runtime.settings import Settings
from redis import Redis
from support.live_worker import live_worker
from support.waiting import wait_for


class Watcher:
    """Hears the events that Flower hears."""

    def __init__(self, celery: Celery) -> None:
        self.events: list[dict[str, Any]] = []
        self._ready = threading.Event()
        self._celery = celery
        self._receiver: Any = None
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> "Watcher":
        self._thread.start()
        assert self._ready.wait(10)
        return self

    def __exit__(self, *_: object) -> None:
        self._receiver.should_stop = True
        self._thread.join(10)

    def _run(self) -> None:
        with self._celery.connection() as connection:
            self._receiver = self._celery.events.Receiver(connection, handlers={"*": self.events.append})
            with self._receiver.consumer_context():
                self._ready.set()
                for _ in self._receiver.consume(limit=None, timeout=None, wakeup=False):
                    pass

    def named(self, kind: str, uuid: str) -> list[dict[str, Any]]:
        return [event for event in self.events if event["type"] == kind and event["uuid"] == uuid]


def test_a_worker_tells_nobody_the_id_of_a_group(
    redis: Redis, redis_url: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    group_id = new_group_id()
    groups = GroupStore(redis)
    settings = Settings(redis_url=redis_url)
    shown = celery_id(task_id(group_id, 0))
    with (
        make_celery("test", publisher(settings)) as celery,
        live_worker(redis_url, tmp_path, {"DARKROOM_LOG_LEVEL": "debug"}),
        Watcher(celery) as watcher,
    ):
        published_at = groups.create(group_id, [NewImage("a.png")], ())
        send(celery, ProcessImage(group_id, 0), published_at=published_at)  # whose original is missing: it fails
        wait_for(lambda: groups.read(group_id).finished_at, limit=30, what="the image to fail")
        wait_for(lambda: watcher.named("task-succeeded", shown), limit=10, what="the event of its end")
        celery.send_task(ProcessImage.name, (group_id, "no index"), task_id="a-failing-one")
        send(celery, ProcessImage(group_id, 0), task_id="a-later-one", countdown=600)
        scheduled = wait_for(
            lambda: [task for node in (celery.control.inspect().scheduled() or {}).values() for task in node],
            limit=30,
            what="the task to be held for later",
        )
        wait_for(lambda: watcher.named("task-received", "a-later-one"), limit=10, what="the event of its arrival")
    (later,) = scheduled
    assert group_id[:8] in later["request"]["args"], "it can still be followed"
    logged = capfd.readouterr()
    for told in (json.dumps(scheduled), json.dumps(watcher.events), logged.out, logged.err):
        assert group_id not in told
    assert f"images.process[{shown}] received" in logged.out


def test_celerys_ids_open_nothing() -> None:
    assert image_of_task(celery_id(task_id(new_group_id(), 0))) is None
