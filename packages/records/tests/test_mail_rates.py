"""How rates are written."""

import pytest
from darkroom_records.mail_limits import Windows, parse_rate


@pytest.mark.parametrize(
    ("text", "windows"),
    [
        ("20/hour", ((20, 3600),)),
        ("5 / 10 minutes", ((5, 600),)),
        ("20/hour;50/day", ((20, 3600), (50, 86_400))),
        ("1/second, 9/minute", ((1, 1), (9, 60))),
    ],
)
def test_a_rate_says_how_many_in_what_time(text: str, windows: Windows) -> None:
    assert parse_rate(text) == windows


@pytest.mark.parametrize(
    "text", ["", "many", "20", "20/fortnight", "-1/hour", "0/hour", "5/0 hours", "5/hour;", "5/hour x"]
)
def test_what_is_no_rate_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="such as 20/hour"):
        parse_rate(text)
