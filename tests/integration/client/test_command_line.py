"""The command `darkroom` against a real API and a real worker."""

import json
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from darkroom import Client as Darkroom
from darkroom.cli import commands
from support.live_api import live_api
from support.live_worker import live_worker
from support.pictures import decode, encode, photograph


@pytest.fixture(scope="module")
def url(redis_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of an API with a worker."""
    storage = tmp_path_factory.mktemp("storage")
    with live_api(redis_url, storage) as api, live_worker(redis_url, storage):
        yield api.url


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """A folder of photographs, one of which is none."""
    folder = tmp_path / "photos"
    (folder / "sea").mkdir(parents=True)
    for name, seed in (("1.jpg", 1), ("2.jpg", 2), ("sea/1.jpg", 3)):
        (folder / name).write_bytes(encode(photograph(320, 240, seed)))
    (folder / "broken.jpg").write_bytes(b"This is not an image.")
    (folder / "notes.txt").write_text("Not sent: it is not called as an image is.")
    return folder


def run(url: str, *arguments: str | Path) -> Result:
    """Run the command in this process."""
    return CliRunner().invoke(commands, ["--url", url, *map(str, arguments)])


def answer(result: Result) -> Any:
    """What a command printed for scripts."""
    return json.loads(result.stdout)


def test_a_folder_is_processed_with_its_folders_and_one_bad_file_fails_alone(url: str, photos: Path) -> None:
    out = photos / "out"
    result = run(url, "process", photos, "-r", "--op", "resize:width=160", "--op", "convert:format=webp",
                 "--output", "thumb=resize:width=40", "--output", "web=", "-o", out)  # fmt: skip
    assert result.exit_code == 1, result.output
    assert "broken.jpg: Unsupported image format." in result.stderr
    assert "3 of 4 images done" in result.stdout
    names = {file.relative_to(out).as_posix() for file in out.rglob("*") if file.is_file()}
    assert names == {f"{output}/{name}.webp" for output in ("thumb", "web") for name in ("1", "2", "sea/1")}
    assert decode((out / "thumb/sea/1.webp").read_bytes()).size == (40, 30)
    again = run(url, "blur", photos / "1.jpg", "-o", photos, "--json")
    assert again.exit_code == 1
    assert "replace its original" in answer(again)["images"][0]["error"]


def test_a_batch_that_was_left_is_fetched_later_shown_retried_and_erased(
    url: str, photos: Path, tmp_path: Path
) -> None:
    left = run(url, "blur", photos / "1.jpg", photos / "2.jpg", "--radius", "3", "--detach")
    assert left.exit_code == 0, left.output
    group = left.stdout.strip()
    out = tmp_path / "out"
    fetched = run(url, "download", group, "-o", out, "--json")
    assert fetched.exit_code == 0, fetched.output
    assert answer(fetched)["images"][1]["files"] == {"": str(out / "2.jpg")}
    before = (out / "1.jpg").stat().st_mtime_ns
    (out / "2.jpg").unlink()

    assert run(url, "download", group, "-o", out).exit_code == 0
    assert (out / "1.jpg").stat().st_mtime_ns == before
    assert (out / "2.jpg").exists()
    assert run(url, "download", group, "-o", out, "--zip").exit_code == 0
    assert "Completed: 2 of 2 images done." in run(url, "status", group).stdout
    assert run(url, "cancel", group).exit_code == 3
    assert "No failed images to retry." in run(url, "retry", group).stderr
    assert answer(run(url, "delete", group, "--json"))["results"] == 2
    gone = run(url, "status", group, "--json")
    assert (gone.exit_code, answer(gone)["code"]) == (3, "group_not_found")


def test_wrong_usage_is_said_before_anything_is_sent(url: str, photos: Path, tmp_path: Path) -> None:
    for arguments, sentence in (
        (["process", photos, "--op", "resize:width=-1", "-o", tmp_path], "operations[0].width"),
        (["process", photos, "--op", "resize width", "-o", tmp_path], "is not an operation"),
        (["process", photos / "sea" / "none", "-o", tmp_path], "There is no file or folder"),
        (["process", photos], "-o"),
        (["status", "x", "--url", "nowhere"], "is not the address of a server"),
    ):
        result = run(url, *arguments)
        assert (result.exit_code, sentence in result.stderr) == (2, True), result.output


def test_an_interrupted_command_leaves_its_batch_and_says_how_to_go_on(redis_url: str, tmp_path: Path) -> None:
    picture = tmp_path / "a.jpg"
    picture.write_bytes(encode(photograph(120, 90)))
    alone = redis_url.removesuffix("/0") + "/1"  # where no worker is
    command = [sys.executable, "-c", "from darkroom.cli import main; main()", "blur", str(picture), "-o", str(tmp_path)]
    with live_api(alone, tmp_path / "storage") as api:
        with subprocess.Popen(
            [*command, "--url", api.url], stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True
        ) as process:
            assert process.stderr is not None
            hung = threading.Timer(60, process.kill)
            hung.start()
            first = process.stderr.readline()
            process.send_signal(signal.SIGINT)
            said = process.stderr.read()
            hung.cancel()
        group = first.removeprefix("Batch ").strip().rstrip(".")
        assert (process.returncode, f"darkroom download {group}" in said) == (130, True), first + said

        assert "0 of 1 images done" in run(api.url, "status", group).stdout
        assert "1 had not begun" in run(api.url, "cancel", group).stdout
        assert run(api.url, "status", group).exit_code == 1
        doctor = run(api.url, "doctor")
        assert (doctor.exit_code, "no living worker processes images" in doctor.stdout) == (3, True)


def test_the_server_can_be_looked_at_and_subscribed_to(url: str) -> None:
    assert "queue images: 0 waiting" in run(url, "control").stdout
    assert run(url, "presets").stdout == "This server has no presets.\n"
    assert "confirmation link" in run(url, "subscribe", "ada@example.org").stdout
    checks = {check["name"]: check["outcome"] for check in answer(run(url, "doctor", "--json"))["checks"]}
    assert checks["api"] == checks["redis and storage"] == checks["round trip"] == "ok"
    assert checks["mail"] == "failed"


def test_what_is_put_into_a_watched_folder_is_processed_and_moved(url: str, photos: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    options: list[str | Path] = [
        "-r",
        "-o",
        out,
        "--op",
        "resize:width=80",
        "--settle",
        "0.1",
        "--interval",
        "0.1",
        "--once",
    ]
    result = run(url, "watch", photos, *options)
    assert result.exit_code == 1, result.output
    assert (out / "sea/1.jpg").exists(), (result.output, result.stderr, list(tmp_path.rglob("*")))
    assert decode((out / "sea/1.jpg").read_bytes()).size == (80, 60)
    left = {file.relative_to(photos).as_posix() for file in photos.rglob("*") if file.is_file()}
    assert left == {
        "notes.txt", "done/1.jpg", "done/2.jpg", "done/sea/1.jpg", "failed/broken.jpg", "failed/broken.jpg.txt",
    }  # fmt: skip
    assert (photos / "failed/broken.jpg.txt").read_text().startswith("Unsupported image format.")
    assert run(url, "watch", photos, *options).exit_code == 0


def test_watching_goes_on_with_the_batch_that_an_earlier_run_left(url: str, photos: Path, tmp_path: Path) -> None:
    picture = photos / "1.jpg"
    with Darkroom(url) as client:
        group = client.submit([picture], operations=[{"op": "resize", "width": 60}]).group_id
    (photos / "2.jpg").unlink()
    (photos / ".darkroom").mkdir()
    facts = {"name": "1.jpg", "size": picture.stat().st_size, "modified": picture.stat().st_mtime_ns}
    (photos / ".darkroom" / f"{group}.json").write_text(json.dumps({"files": [facts]}))
    result = run(url, "watch", photos, "-o", tmp_path / "out", "--op", "resize:width=80", "--settle", "0", "--once")
    assert decode((tmp_path / "out/1.jpg").read_bytes()).size == (60, 45), result.output
    assert (photos / "done/1.jpg").exists()


def test_results_are_made_again_from_the_manifest_of_their_archive(url: str, photos: Path, tmp_path: Path) -> None:
    sent = run(url, "process", photos, "-r", "--op", "blur:radius=2", "--output", "thumb=resize:width=40",
               "--output", "full=", "-o", tmp_path / "first", "--json")  # fmt: skip
    assert run(url, "download", answer(sent)["group_id"], "-o", tmp_path, "--zip").exit_code == 0
    [archive] = tmp_path.glob("*.zip")
    again = run(url, "reproduce", archive, "--originals", photos, "-o", tmp_path / "again")
    assert again.exit_code == 0, again.output
    for file in ("thumb/sea/1.jpg", "full/2.jpg"):
        assert (tmp_path / "again" / file).read_bytes() == (tmp_path / "first" / file).read_bytes()

    (photos / "1.jpg").write_bytes((photos / "2.jpg").read_bytes())
    (photos / "2.jpg").unlink()
    changed = run(url, "reproduce", archive, "--originals", photos, "-o", tmp_path / "again", "--json")
    assert [image["code"] for image in answer(changed)["images"]] == ["differs", None, "no_original"]
