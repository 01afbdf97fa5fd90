"""With strict durability, the disk has all originals before the group is confirmed, and so before the 202."""

import io
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from darkroom_api.app import create_app
from darkroom_api.settings import ApiSettings
from darkroom_records.groups import GroupStore, Turns
from flask import Flask
from support.pictures import encode, photograph


@pytest.fixture
def app(redis_url: str, storage_dir: Path) -> Iterator[Flask]:
    """The application, told to be strict."""
    app = create_app(ApiSettings(redis_url=redis_url, storage_dir=storage_dir, durability="strict"))
    yield app
    app.extensions["darkroom"].close()


def test_the_disk_has_every_original_before_the_group_is_confirmed(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: set[int] = set()
    synced_before_it_was_confirmed: set[int] = set()
    fsync, confirm = os.fsync, GroupStore.confirm

    def note_sync(descriptor: int) -> None:
        fsync(descriptor)
        synced.add(os.fstat(descriptor).st_ino)

    def note_confirmation(store: GroupStore, group_id: str) -> Turns | None:
        synced_before_it_was_confirmed.update(synced)
        return confirm(store, group_id)

    monkeypatch.setattr(os, "fsync", note_sync)
    monkeypatch.setattr(GroupStore, "confirm", note_confirmation)
    files = [(io.BytesIO(encode(photograph(seed=number))), f"{number}.jpg") for number in range(5)]
    answer = app.test_client().post("/process_images", data={"images": files})
    assert answer.status_code == 202
    group_id = answer.get_json()["group_id"]
    folder = app.extensions["darkroom"].settings.storage_dir / "groups" / group_id / "in"
    originals = {file.stat().st_ino for file in folder.iterdir()}
    assert len(originals) == 5
    assert originals | {folder.stat().st_ino} <= synced_before_it_was_confirmed
