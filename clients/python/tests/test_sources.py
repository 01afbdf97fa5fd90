"""Which files a command sends, and under which names."""

from pathlib import Path

import pytest
from darkroom.sources import NoSuchSourceError, find_sources


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with images, and with what is none."""
    for name in ("b.JPG", "a.png", ".hidden.jpg", "notes.txt", "sea/1.jpg", ".cache/2.jpg", "out/3.jpg"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    return tmp_path


def names(*paths: Path, recursive: bool = False) -> list[str]:
    sources = find_sources(map(str, paths), recursive=recursive, besides=[paths[0] / "out"])
    return [source.name for source in sources]


def test_a_folder_gives_its_images_in_order(folder: Path) -> None:
    assert names(folder) == ["a.png", "b.JPG"]


def test_folders_within_it_are_searched_on_request_but_for_hidden_ones_and_that_of_the_results(folder: Path) -> None:
    assert names(folder, recursive=True) == ["a.png", "b.JPG", "sea/1.jpg"]


def test_a_file_that_is_named_is_sent_whatever_it_is_called_and_once(folder: Path) -> None:
    assert names(folder / "notes.txt", folder / "notes.txt") == ["notes.txt"]


def test_a_pattern_that_no_shell_expanded_is_expanded(folder: Path) -> None:
    assert names(folder / "*.JPG") == ["b.JPG"]
    with pytest.raises(NoSuchSourceError, match=r"^There is no file or folder .*\.$"):
        names(folder / "*.webp")
