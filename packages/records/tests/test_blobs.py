"""Every blob storage keeps these promises."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from darkroom_records.blobs import BlobNotFoundError, BlobStorage
from darkroom_records.storage import StorageSettings, make_storage
from support.s3_server import KEYS, S3Server

LARGE = b"0123456789" * 2_000_000
"""More than is sent, or fetched, at once."""

Kept = Callable[[], list[str]]


@pytest.fixture(params=["folder", "s3"])
def settings(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StorageSettings:
    folder = tmp_path / "blobs"
    if request.param == "folder":
        return StorageSettings(storage_dir=folder)
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)
    server: S3Server = request.getfixturevalue("s3_server")
    return StorageSettings(storage_dir=folder, storage_url=server.setting(server.make_bucket()))


@pytest.fixture
def storage(settings: StorageSettings) -> BlobStorage:
    return make_storage(settings, must_exist=False)


@pytest.fixture
def kept(request: pytest.FixtureRequest, settings: StorageSettings) -> Kept:
    """Everything that is kept anywhere: files, objects, and parts of objects."""

    def files() -> list[str]:
        return [str(path) for path in settings.storage_dir.rglob("*") if path.is_file()]

    def objects() -> list[str]:
        server: S3Server = request.getfixturevalue("s3_server")
        bucket = (settings.storage_url or "").split("/")[2]
        return server.keys(bucket) + server.unfinished(bucket)

    return files if settings.storage_url is None else lambda: files() + objects()


def test_what_is_put_can_be_read(storage: BlobStorage) -> None:
    storage.put("groups/0f/in/3", b"bytes")
    with storage.open("groups/0f/in/3") as blob:
        assert blob.read() == b"bytes"


def test_a_blob_is_seen_only_once_it_is_committed(storage: BlobStorage) -> None:
    writer = storage.writer()
    writer.write(b"by")
    with pytest.raises(BlobNotFoundError):
        storage.open("a/1")
    writer.write(b"tes")
    writer.commit("a/1")
    with storage.open("a/1") as blob:
        assert blob.read() == b"bytes"


@pytest.mark.parametrize("data", [b"bytes", LARGE], ids=["small", "large"])
def test_a_discarded_blob_leaves_nothing_behind(storage: BlobStorage, kept: Kept, data: bytes) -> None:
    writer = storage.writer()
    writer.write(data)
    writer.read_back().close()
    writer.discard()
    writer.discard()
    assert kept() == []


@pytest.mark.parametrize("data", [b"", b"bytes", LARGE], ids=["empty", "small", "large"])
def test_a_blob_is_kept_once_and_read_as_it_was_written(storage: BlobStorage, kept: Kept, data: bytes) -> None:
    writer = storage.writer()
    for start in range(0, len(data), 3_000_000):
        writer.write(data[start : start + 3_000_000])
    with writer.read_back() as file:
        assert file.read() == data
    writer.commit("a/1")
    writer.discard()
    storage.put("a/2", data)
    assert len(kept()) == 2
    for key in ("a/1", "a/2"):
        with storage.open(key) as blob:
            assert blob.read() == data
            assert blob.read() == b""


def test_a_blob_is_read_from_anywhere_in_it(storage: BlobStorage) -> None:
    storage.put("a/1", LARGE)
    with storage.open("a/1") as blob:
        assert blob.read(3) == b"012"
        for place in (19_999_998, 0, 1_048_570, 12_345_678):
            assert blob.seek(place) == place
            assert blob.read(10) == LARGE[place : place + 10]
        assert blob.tell() == 12_345_688
        assert blob.seek(0, 2) == len(LARGE)
        assert blob.read(1) == b""
        blob.seek(-3, 2)
        assert blob.read() == b"789"
        blob.seek(5)
        pieces = iter(lambda: blob.read(256 * 1024), b"")
        assert b"".join(pieces) == LARGE[5:]


def test_discarding_a_committed_blob_does_nothing(storage: BlobStorage) -> None:
    writer = storage.writer()
    writer.write(b"bytes")
    writer.commit("a/1")
    writer.discard()
    assert storage.open("a/1").close() is None


def test_a_reader_keeps_what_it_opened_while_the_blob_is_replaced(storage: BlobStorage) -> None:
    storage.put("a/1", b"old")
    with storage.open("a/1") as blob:
        storage.put("a/1", b"new")
        assert blob.read() == b"old"


def test_deleting_a_prefix_spares_its_neighbours(storage: BlobStorage) -> None:
    storage.put("groups/a/in/0", b"a")
    storage.put("groups/ab/in/0", b"ab")
    storage.delete_all("groups/a/")
    storage.delete_all("groups/a/")
    with pytest.raises(BlobNotFoundError):
        storage.open("groups/a/in/0")
    assert storage.open("groups/ab/in/0").close() is None


def test_a_blob_exists_from_when_it_is_put_until_it_is_deleted(storage: BlobStorage) -> None:
    assert not storage.exists("a/1")
    storage.put("a/1", b"bytes")
    assert storage.exists("a/1")
    storage.delete("a/1")
    storage.delete("a/1")
    assert not storage.exists("a/1")


def test_a_link_and_its_source_are_deleted_and_replaced_each_by_itself(storage: BlobStorage) -> None:
    storage.put("uploads/a", b"bytes")
    for key in ("groups/0f/in/0", "groups/0f/in/1", "groups/0f/in/1"):
        storage.link("uploads/a", key)
    storage.put("groups/0f/in/1", b"others")
    storage.delete("uploads/a")
    with storage.open("groups/0f/in/0") as first, storage.open("groups/0f/in/1") as second:
        assert (first.read(), second.read()) == (b"bytes", b"others")


def test_a_link_takes_the_place_of_another_blob(storage: BlobStorage) -> None:
    storage.put("uploads/a", b"bytes")
    storage.put("a/1", b"others")
    storage.link("uploads/a", "a/1")
    with storage.open("a/1") as blob:
        assert blob.read() == b"bytes"


def test_there_is_no_link_to_what_is_gone(storage: BlobStorage) -> None:
    with pytest.raises(BlobNotFoundError):
        storage.link("uploads/a", "a/1")
    assert not storage.exists("a/1")


def test_groups_are_listed_by_age(storage: BlobStorage) -> None:
    assert list(storage.groups_older_than(-1)) == []
    for key in ("groups/0f/in/0", "groups/0f/out/0", "groups/a/in/0", "uploads/0"):
        storage.put(key, b"bytes")
    assert list(storage.groups_older_than(3600)) == []
    assert sorted(storage.groups_older_than(-1)) == ["0f", "a"]


@pytest.mark.parametrize("key", ["", "/etc/passwd", "a/../b", "a//b", "a/", "A", "a\n", "."])
def test_a_key_leads_nowhere_else(storage: BlobStorage, key: str) -> None:
    with pytest.raises(ValueError, match="not the key of a blob"):
        storage.put(key, b"bytes")


def test_steps_are_all_taken(storage: BlobStorage) -> None:
    storage.run_all([])
    storage.run_all(partial(storage.put, f"a/{number}", b"bytes") for number in range(40))
    assert all(storage.exists(f"a/{number}") for number in range(40))


def test_where_a_step_fails_none_is_under_way_any_more(storage: BlobStorage) -> None:
    taken: list[int] = []

    def step(number: int) -> None:
        if number == 3:
            raise OSError("The disk is full.")
        storage.put(f"a/{number}", b"bytes")
        taken.append(number)

    with pytest.raises(OSError, match="The disk is full"):
        storage.run_all(partial(step, number) for number in range(100))
    so_far = list(taken)
    assert len(so_far) < 99
    assert {0, 1, 2} <= set(so_far)
    storage.delete_all("a/")
    assert taken == so_far
    assert not any(storage.exists(f"a/{number}") for number in range(100))


def test_a_check_leaves_nothing_behind(storage: BlobStorage, kept: Kept) -> None:
    storage.check()
    assert kept() == []
