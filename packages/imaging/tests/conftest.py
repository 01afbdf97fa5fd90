"""What holds for every test of the imaging engine."""

import pytest
from PIL import Image

_PILLOWS_OWN_LIMIT = 1024 * 1024 * 1024 // 4 // 3
"""Pixels, as Pillow sets ``MAX_IMAGE_PIXELS`` by itself."""


@pytest.fixture(autouse=True)
def _limit_as_in_a_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    """The API lifts Pillow's limit in its own process, which in a run of all tests is this one."""
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", _PILLOWS_OWN_LIMIT)
