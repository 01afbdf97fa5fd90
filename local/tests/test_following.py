"""Reading along in logs."""

from pathlib import Path

from darkroom_local.following import following
from support.waiting import wait_for


def test_lines_are_shown_as_they_are_added_and_only_those(tmp_path: Path) -> None:
    log = tmp_path / "api.log"
    log.write_text("before\n")
    shown: list[tuple[str, str]] = []
    with following(tmp_path, lambda program, line: shown.append((program, line))):
        with log.open("a") as file:
            file.write("one\ntw")
        wait_for(lambda: shown, limit=30, what="the first line")
        with log.open("a") as file:
            file.write("o\nthree\n")
    assert shown == [("api", "one"), ("api", "two"), ("api", "three")]


def test_a_log_that_was_replaced_is_read_from_its_beginning(tmp_path: Path) -> None:
    log = tmp_path / "api.log"
    log.write_text("a long line of the old file\n")
    shown: list[str] = []
    with following(tmp_path, lambda _, line: shown.append(line)):
        log.rename(tmp_path / "api.log.1")
        log.write_text("new\n")
    assert shown == ["new"]
