"""What a folder promises beside what every blob storage does."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from darkroom_records.blobs import BlobNotFoundError, BlobStorage, LocalBlobStorage


@pytest.fixture
def storage(tmp_path: Path) -> BlobStorage:
    return LocalBlobStorage(tmp_path)


def files_below(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_a_link_in_a_folder_takes_no_room_and_leaves_nothing_beside_it(storage: BlobStorage, tmp_path: Path) -> None:
    storage.put("uploads/a", b"bytes")
    storage.link("uploads/a", "a/1")
    storage.link("uploads/a", "a/1")
    assert sorted(files_below(tmp_path)) == [tmp_path / "a" / "1", tmp_path / "uploads" / "a"]
    assert (tmp_path / "a" / "1").samefile(tmp_path / "uploads" / "a")


def test_where_a_file_system_has_no_links_the_bytes_are_copied(
    storage: BlobStorage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    storage.put("uploads/a", b"bytes")
    monkeypatch.setattr(Path, "hardlink_to", refuse)
    storage.link("uploads/a", "a/1")
    assert (tmp_path / "a" / "1").read_bytes() == b"bytes"
    assert len(files_below(tmp_path)) == 2


def test_what_a_living_process_has_begun_is_left_alone(storage: BlobStorage, tmp_path: Path) -> None:
    writer = storage.writer()
    writer.write(b"by")
    LocalBlobStorage(tmp_path).discard_unfinished(idle=-1)
    assert len(files_below(tmp_path)) == 1
    writer.commit("a/1")
    assert storage.open("a/1").close() is None


_KILLED = """
import os, signal, sys
from pathlib import Path
from darkroom_records.blobs import LocalBlobStorage
LocalBlobStorage(Path(sys.argv[1])).writer().write(b"by")
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_what_a_killed_process_had_begun_is_discarded(storage: BlobStorage, tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-c", _KILLED, str(tmp_path)], check=False)
    assert len(files_below(tmp_path)) == 1
    storage.discard_unfinished(idle=3600)
    assert len(files_below(tmp_path)) == 1
    storage.discard_unfinished(idle=-1)
    assert files_below(tmp_path) == []


def test_files_that_lie_loose_are_discarded_after_a_day(storage: BlobStorage, tmp_path: Path) -> None:
    loose = tmp_path / "incoming" / "0f"
    loose.parent.mkdir()
    for age, is_left in ((3600, True), (25 * 3600, False)):
        loose.write_bytes(b"of an older version")
        os.utime(loose, (time.time() - age,) * 2)
        storage.discard_unfinished(idle=30)
        assert loose.exists() is is_left


def test_a_storage_that_cannot_be_written_fails_its_check(tmp_path: Path) -> None:
    (tmp_path / "in-the-way").write_text("")
    with pytest.raises(OSError, match="in-the-way"):
        LocalBlobStorage(tmp_path / "in-the-way").check()


def test_a_storage_that_must_exist_is_away_where_its_folder_is_missing_or_empty(tmp_path: Path) -> None:
    storage = LocalBlobStorage(tmp_path / "volume", must_exist=True)
    for _ in range(2):
        with pytest.raises(OSError, match="No such file"):
            storage.open("groups/a/in/0")
        with pytest.raises(OSError, match="No such file"):
            LocalBlobStorage(tmp_path / "missing", must_exist=True).put("groups/a/out/0", b"")
        (tmp_path / "volume").mkdir(exist_ok=True)
    assert not (tmp_path / "missing").exists()
    LocalBlobStorage(tmp_path / "volume").put("groups/a/in/0", b"here")
    with storage.open("groups/a/in/0") as blob:
        assert blob.read() == b"here"
    with pytest.raises(BlobNotFoundError):
        storage.open("groups/a/in/1")
