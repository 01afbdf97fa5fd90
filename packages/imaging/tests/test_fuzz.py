"""Mutated images by the thousand: each ends in a result or in one of the engine's errors, and no process dies."""

import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = Path(__file__).with_name("fuzzing.py")
CASES = 40_000
LONGEST = 60.0
"""Seconds that two thousand cases may take. Many times what they do, so only one that hangs gets there."""


def run(first: int, last: int, note: Path) -> dict[str, int]:
    """How many of the cases ended how."""
    try:
        done = subprocess.run(
            [sys.executable, "-X", "faulthandler", PROGRAM, str(first), str(last), note],
            capture_output=True,
            text=True,
            timeout=LONGEST,
            check=False,
        )
    except subprocess.TimeoutExpired:
        pytest.fail(f"case {note.read_text()} hangs")
    if done.returncode != 0:
        pytest.fail(f"case {note.read_text()} ended the process with {done.returncode}:\n{done.stderr[-4000:]}")
    return {name: int(count) for name, count in (end.split("=") for end in done.stdout.split())}


def test_three_hundred_mutated_images_end_as_they_should(tmp_path: Path) -> None:
    ends = run(0, 300, tmp_path / "case")
    assert sum(ends.values()) == 300
    assert {"result", "DamagedImageError", "ImageTooLargeError"} <= set(ends)


@pytest.mark.corpus
@pytest.mark.parametrize("first", range(0, CASES, 2_000))
def test_two_thousand_mutated_images_end_as_they_should(first: int, tmp_path: Path) -> None:
    assert sum(run(first, first + 2_000, tmp_path / "case").values()) == 2_000
