"""The archive of a group's results."""

import io
import json
import zipfile
from pathlib import Path

import pytest
from darkroom_contracts.states import Counts, ImageState
from darkroom_records.archive import file_names, stream
from darkroom_records.blobs import BlobNotFoundError, LocalBlobStorage, result_blob
from darkroom_records.file_names import MANIFEST, safe_stem
from darkroom_records.groups import Group, Image, Outcome

GROUP = "0123456789abcdef0123456789abcdef"


def done(index: int, name: str, data: bytes = b"", form: str = "jpeg") -> Image:
    outcome = Outcome(format=form, width=1, height=1, bytes=len(data))
    return Image(index, name, ImageState.SUCCEEDED, None, outcome, safe_stem(name, index))


def group(*images: Image) -> Group:
    return Group(
        group_id=GROUP,
        version=1,
        counts=Counts(succeeded=len(images)),
        created_at=0,
        published_at=0,
        finished_at=0,
        pipeline=[{"op": "blur", "radius": 3}],
        images=images,
    )


def test_names_are_unique_and_safe_in_one_folder_on_every_system() -> None:
    names = [
        "a.png",
        "A.PNG",
        "a.jpg",
        "a (2).png",
        "../../etc/passwd",
        "C:\\x\\y.png",
        "con.png",
        'q<>:"|?*.png',
        ".hidden",
        "",
        "n\r\nl.png",
        "x" * 300 + ".png",
        "tar.gz.png",
        "日本" * 100,
    ]
    images = [done(index, name) for index, name in enumerate(names)]
    assert [files[""] for files in file_names(group(*images)).values()] == [
        "a.jpg",
        "A (2).jpg",
        "a (3).jpg",
        "a (2) (2).jpg",
        "passwd.jpg",
        "y.jpg",
        "_con.jpg",
        "q_______.jpg",
        "hidden.jpg",
        "image-9.jpg",
        "nl.jpg",
        "x" * 180 + ".jpg",
        "tar.gz.jpg",
        "日本" * 30 + ".jpg",
    ]


def test_an_archive_holds_the_results_and_what_is_known_of_all_images(tmp_path: Path) -> None:
    storage = LocalBlobStorage(tmp_path)
    storage.put(result_blob(GROUP, 0), b"first")
    reason = Outcome(error="It is cut off.")
    failed = Image(1, "two.png", ImageState.FAILED, [{"op": "resize", "width": 5}], reason, "two")
    content = stream(group(done(0, "one.png", b"first", "webp"), failed), storage)
    size = len(content)
    data = b"".join(content)
    assert len(data) == size
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.testzip() is None
        assert archive.read("one.webp") == b"first"
        assert archive.namelist() == [MANIFEST, "one.webp"]
        manifest = json.loads(archive.read(MANIFEST))
    first, second = manifest["images"]
    assert (first["file"], first["operations"]) == ("one.webp", [{"op": "blur", "radius": 3}])
    assert (second["file"], second["error"], second["state"]) == (None, "It is cut off.", "failed")
    assert second["operations"] == [{"op": "resize", "width": 5}]


def test_the_manifest_says_what_makes_each_result_again(tmp_path: Path) -> None:
    storage = LocalBlobStorage(tmp_path)
    storage.put(result_blob(GROUP, 0), b"first")
    outcome = Outcome(
        format="png",
        width=1,
        height=1,
        bytes=5,
        sha256="e5",
        original="0f",
        overlays={"7a": "7b"},
        engine="pillow=13 a=1",
    )
    image = Image(0, "one.png", ImageState.SUCCEEDED, None, Outcome.from_json(outcome.to_json()), "one")
    with zipfile.ZipFile(io.BytesIO(b"".join(stream(group(image), storage)))) as archive:
        manifest = json.loads(archive.read(MANIFEST))
    assert manifest["metadata"] == "none"
    entry = manifest["images"][0]
    assert entry["original"] == {"sha256": "0f"}
    assert entry["overlays"] == {"7a": {"sha256": "7b"}}
    assert entry["engine"] == {"pillow": "13", "a": "1"}
    assert (entry["operations"], entry["sha256"]) == ([{"op": "blur", "radius": 3}], "e5")


def test_an_archive_whose_results_are_gone_breaks_off(tmp_path: Path) -> None:
    with pytest.raises(BlobNotFoundError):
        b"".join(stream(group(done(0, "one.png", b"first")), LocalBlobStorage(tmp_path)))
