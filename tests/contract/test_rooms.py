"""The laws of the rooms that import-linter has no word for."""

import re
import sys
from pathlib import Path

import grimp
import pytest

PACKAGES = Path(__file__).parents[2] / "packages"
SERVICES = "api|worker|maintenance|scheduler|mailer|outbound|flower|local"
ABOVE = {
    "contracts": f"runtime|records|imaging|{SERVICES}",
    "runtime": f"records|imaging|{SERVICES}",
    "records": f"imaging|{SERVICES}",
    "imaging": f"runtime|records|{SERVICES}",
}
"""What a package must not name: those that stand above it, or beside it."""


def test_the_vocabulary_imports_nothing_beyond_the_standard_library() -> None:
    graph = grimp.build_graph("darkroom_contracts", include_external_packages=True)
    foreign = {module for module in graph.modules if graph.is_module_squashed(module)}
    assert foreign <= sys.stdlib_module_names


@pytest.mark.parametrize("package", ABOVE)
def test_a_package_points_to_nothing_above_it_not_by_a_string_either(package: str) -> None:
    found = {
        f"{file.relative_to(PACKAGES)}: {name}"
        for file in (PACKAGES / package / "src").rglob("*.py")
        for name in re.findall(rf"darkroom_(?:{ABOVE[package]})\b", file.read_text())
    }
    assert not found
