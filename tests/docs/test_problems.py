"""The page about problems knows every code."""

import re
from pathlib import Path

from darkroom_contracts.problems import ProblemCode

PAGE = (Path(__file__).parents[2] / "docs/problems.md").read_text()
ROWS = re.findall(r"^\| `(\w+)` \|(.+)\|$", PAGE, re.MULTILINE)


def test_every_code_is_explained_once_and_no_other() -> None:
    assert sorted(code for code, _ in ROWS) == sorted(ProblemCode)


def test_every_code_has_a_meaning_and_says_what_to_do() -> None:
    assert [code for code, cells in ROWS if not all(cell.strip() for cell in cells.split("|"))] == []
