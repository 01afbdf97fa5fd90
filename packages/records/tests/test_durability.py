"""With strict durability, the disk has a blob before its storing has ended: its bytes, its name, and its folders'."""

import os
import re
import shutil
import subprocess
import sys
import threading
from functools import partial
from pathlib import Path

import pytest
from darkroom_records.blobs import BlobStorage
from darkroom_records.storage import StorageSettings, make_storage

if sys.platform != "linux":
    pytest.skip("which file a descriptor is of is read from /proc", allow_module_level=True)


class Disk:
    """What the disk was asked to keep, in order: the bytes of files, and names.

    It stands in for a power cut, after which a file has what was synced, under the names that were synced.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._lock = threading.Lock()
        self._kept: set[tuple[int, int]] = set()
        """The files whose bytes are kept, by device and number."""
        self._unkept_names: set[str] = set()
        """What was named, or made, since the folder it is in was synced."""
        self.syncs: list[str] = []
        self._real = {name: getattr(os, name) for name in ("fsync", "replace", "link", "mkdir")}
        for name in ("replace", "link", "mkdir"):
            monkeypatch.setattr(os, name, partial(self._named, name))
        monkeypatch.setattr(os, "fsync", self._fsync)

    def survives(self, file: Path) -> bool:
        """Whether a power cut now would leave the file, whole and under its name."""
        found = file.stat()
        named = not {str(path) for path in (file, *file.parents)} & self._unkept_names
        return named and (found.st_dev, found.st_ino) in self._kept

    def _fsync(self, descriptor: int) -> None:
        self._real["fsync"](descriptor)
        path, found = str(Path(f"/proc/self/fd/{descriptor}").readlink()), os.fstat(descriptor)
        with self._lock:
            self.syncs.append(path)
            self._kept.add((found.st_dev, found.st_ino))
            self._unkept_names = {name for name in self._unkept_names if str(Path(name).parent) != path}

    def _named(self, how: str, *arguments: object, **options: object) -> None:
        target = str(arguments[0 if how == "mkdir" else 1])
        if how != "mkdir":
            source = Path(str(arguments[0])).stat()
            assert (source.st_dev, source.st_ino) in self._kept, "a name would come to the disk before its bytes"
        self._real[how](*arguments, **options)
        with self._lock:
            self._unkept_names.add(target)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The storage's folder."""
    return tmp_path / "blobs"


@pytest.fixture
def storage(root: Path) -> BlobStorage:
    """A strict storage."""
    return make_storage(StorageSettings(storage_dir=root, durability="strict"), must_exist=False)


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch, storage: BlobStorage) -> Disk:
    """The disk that is asked."""
    storage.check()  # makes the folder of files under way, which are for nobody after a power cut
    return Disk(monkeypatch)


def test_a_blob_survives_a_power_cut_once_it_is_stored(storage: BlobStorage, disk: Disk, root: Path) -> None:
    storage.put("groups/a/out/0", b"result")
    writer = storage.writer()
    writer.write(b"original")
    writer.commit("groups/b/in/0")
    assert disk.survives(root / "groups/a/out/0")
    assert disk.survives(root / "groups/b/in/0")


def test_a_blob_that_replaces_another_survives(storage: BlobStorage, disk: Disk, root: Path) -> None:
    for data in (b"first attempt", b"second attempt"):
        storage.put("groups/a/out/0", data)
        assert disk.survives(root / "groups/a/out/0")


def test_the_blobs_of_a_batch_survive_and_each_folder_is_synced_once(
    storage: BlobStorage, disk: Disk, root: Path
) -> None:
    storage.run_all(partial(storage.put, f"groups/a/in/{number}", b"original") for number in range(40))
    assert all(disk.survives(root / f"groups/a/in/{number}") for number in range(40))
    assert disk.syncs.count(str(root / "groups/a/in")) == 1


def test_links_survive(storage: BlobStorage, disk: Disk, root: Path) -> None:
    storage.put("uploads/1", b"upload")
    storage.run_all(partial(storage.link, "uploads/1", f"groups/a/in/{number}") for number in range(3))
    storage.link("uploads/1", "groups/b/in/0")
    storage.link("uploads/1", "groups/b/in/1")  # whose folder is there already
    for key in ("groups/a/in/0", "groups/a/in/2", "groups/b/in/0", "groups/b/in/1"):
        assert disk.survives(root / key)


def test_where_the_disk_fails_nothing_counts_as_stored(
    storage: BlobStorage, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: int) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="Input/output error"):
        storage.put("groups/a/in/0", b"original")
    with pytest.raises(OSError, match="Input/output error"):
        storage.run_all([partial(storage.put, "groups/a/in/0", b"original")])
    assert not [path for path in root.rglob("*") if path.is_file()]


def test_by_default_nothing_is_waited_for(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: int) -> None:
        raise OSError(5, "Input/output error")

    storage = make_storage(StorageSettings(storage_dir=root), must_exist=False)
    monkeypatch.setattr(os, "fsync", fail)
    storage.put("groups/a/in/0", b"original")
    storage.run_all([partial(storage.link, "groups/a/in/0", "groups/b/in/0")])
    assert storage.exists("groups/b/in/0")


_PUT = """
import sys
from pathlib import Path
from darkroom_records.blobs import LocalBlobStorage
LocalBlobStorage(Path(sys.argv[1]), strict=True).put("groups/a/out/0", b"result")
print("stored", flush=True)
"""


@pytest.mark.skipif(not shutil.which("strace"), reason="strace shows what the system is asked for")
def test_the_system_is_asked_for_it_in_that_order(root: Path) -> None:
    command = ["strace", "-f", "-y", "-e", "trace=fsync,rename,write", sys.executable, "-c", _PUT, str(root)]
    root.mkdir()
    traced = subprocess.run(command, capture_output=True, text=True, check=False)
    if traced.returncode:
        pytest.skip(f"strace may not look into processes here: {traced.stderr[-200:]}")
    folder = re.escape(str(root / "groups/a/out"))
    steps = [
        rf"fsync\(\d+<{re.escape(str(root))}/incoming/",
        rf"rename\(.*\"{folder}/0\"",
        rf"fsync\(\d+<{folder}>",
        "stored",
    ]
    places = [next(iter(re.finditer(step, traced.stderr)), None) for step in steps]
    assert all(places), traced.stderr
    assert (at := [place.start() for place in places if place]) == sorted(at)
