"""The maintenance service brings to an end what others have begun."""

import os
import time
from pathlib import Path

import pytest
from darkroom_contracts.ids import new_group_id
from darkroom_contracts.messages import SweepUnfinished
from darkroom_records.blobs import LocalBlobStorage, accepted_blob, original_blob
from darkroom_records.groups import GroupStore, NewImage
from darkroom_runtime.sending import send
from flask import Flask
from support.redis_keys import group_record
from support.waiting import wait_for

pytestmark = pytest.mark.usefixtures("maintenance")


def test_unfinished_intakes_and_files_of_killed_processes_are_swept(
    app: Flask, store: GroupStore, storage_dir: Path
) -> None:
    storage, redis = LocalBlobStorage(storage_dir), app.extensions["darkroom"].redis
    refused, accepted, under_way = (new_group_id() for _ in range(3))
    for group_id in (refused, accepted, under_way):
        store.create(group_id, [NewImage("a.png")], [], confirmed=False)
        storage.put(original_blob(group_id, 0), b"original")
    storage.put(accepted_blob(accepted), b"")
    redis.hset(group_record(refused), "created_at", time.time() - 60)
    killed = storage_dir / "incoming" / "0f"
    killed.mkdir()
    (killed / "half").write_bytes(b"by")
    for path in (killed / "half", killed):
        os.utime(path, (time.time() - 60,) * 2)
    send(app.extensions["celery"], SweepUnfinished())
    wait_for(lambda: not killed.exists(), limit=60, what="the sweep")
    assert [store.exists(group_id) for group_id in (refused, accepted, under_way)] == [False, True, True]
    assert store.unfinished() == [under_way]
    assert not (storage_dir / "groups" / refused).exists()
