"""No name that a server gives leads out of the folder for results."""

from pathlib import Path

import pytest
from darkroom.file_paths import Placement, UnsafePathError, safe_parts

HOSTILE = [
    "../../etc/passwd",
    "/etc/passwd",
    "a/../../b.jpg",
    "..\\..\\b.jpg",
    "C:\\windows\\b.jpg",
    "..",
    "",
    "a/\x00b.jpg",
    "\x1b[2Jb.jpg",
    "con.jpg",
    "x" * 5000 + ".jpg",
    "\ud800.jpg",
    "a/./b//c.jpg",
]


@pytest.mark.parametrize("name", HOSTILE, ids=range(len(HOSTILE)))
def test_no_name_leads_out_of_the_folder(tmp_path: Path, name: str) -> None:
    path = Placement(tmp_path / "out").place(name)
    assert path.resolve().is_relative_to((tmp_path / "out").resolve())
    assert path != tmp_path / "out"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"it can be written")


def test_folders_and_letters_of_every_script_stay() -> None:
    assert safe_parts("Море/Закат 1.jpg") == ["Море", "Закат 1.jpg"]


def test_two_results_never_get_one_file(tmp_path: Path) -> None:
    placement = Placement(tmp_path)
    assert [placement.place(name).name for name in ("a?.jpg", "a*.jpg", "A_.JPG")] == [
        "a_.jpg", "a_ (2).jpg", "A_ (3).JPG",
    ]  # fmt: skip


def test_a_link_in_the_folder_is_not_followed_out_of_it(tmp_path: Path) -> None:
    out, elsewhere = tmp_path / "out", tmp_path / "elsewhere"
    out.mkdir()
    elsewhere.mkdir()
    (out / "sea").symlink_to(elsewhere)
    with pytest.raises(UnsafePathError):
        Placement(out).place("sea/1.jpg")
