"""Which tests have the machine to themselves."""

from pathlib import Path

import pytest

ALONE = tuple(Path(__file__).with_name(layer) for layer in ("browser", "e2e", "faults"))
"""The layers that run whole systems and wait for them."""


@pytest.hookimpl(tryfirst=True)  # before tests are chosen by their marks
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests of these layers."""
    for item in items:
        if any(item.path.is_relative_to(layer) for layer in ALONE):
            item.add_marker("alone")
