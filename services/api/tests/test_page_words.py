"""Numbers as the page tells them."""

import pytest
from darkroom_api.page.page import duration, in_millions


@pytest.mark.parametrize(
    ("number", "text"),
    [(25_000_000, "25"), (2_500_000, "2.5"), (512_000_000, "512"), (89_478_485, "89.478485"), (1_500_000_000, "1,500")],
)
def test_millions(number: int, text: str) -> None:
    assert in_millions(number) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (86_400, "24 hours"),
        (172_800, "2 days"),
        (7200, "2 hours"),
        (3600, "1 hour"),
        (90, "90 seconds"),
        (1, "1 second"),
    ],
)
def test_durations(seconds: int, text: str) -> None:
    assert duration(seconds) == text
