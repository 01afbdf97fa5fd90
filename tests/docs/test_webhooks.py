"""The page about webhooks shows what is sent, and how to verify it."""

import json
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pytest
from darkroom_contracts.states import Counts, ImageState
from darkroom_outbound.delivering import SCHEDULE
from darkroom_outbound.payloads import payload
from darkroom_outbound.signing import sign
from darkroom_records.webhooks import Delivery, GroupEnded, ImageEnded, parse_secret

PAGE = (Path(__file__).parents[2] / "docs/webhooks.md").read_text()
SECRET = "whsec_" + "QUJD" * 8
OTHER = "whsec_" + "REVG" * 8
GROUP = "34832ad2b15db6e78be4510c3640f74c"
BODY = b'{"type": "group.ended"}'
Verify = Callable[[str, dict[str, str], bytes], bool]


@pytest.fixture(scope="module")
def verify() -> Verify:
    """The function that the page shows."""
    (code,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    names: dict[str, Any] = {}
    exec(code, names)  # it is ours
    return cast("Verify", names["verify"])


def headers(*secrets: str, age: int = 0) -> dict[str, str]:
    return sign(map(parse_secret, secrets), "msg_1", int(time.time()) - age, BODY)


def test_a_webhook_is_verified_as_the_page_says(verify: Verify) -> None:
    assert verify(SECRET, headers(SECRET), BODY)
    assert verify(SECRET, headers(OTHER, SECRET), BODY)


def test_what_is_forged_changed_or_old_is_not_verified(verify: Verify) -> None:
    assert not verify(SECRET, headers(OTHER), BODY)
    assert not verify(SECRET, headers(SECRET), BODY + b" ")
    assert not verify(SECRET, headers(SECRET, age=600), BODY)


@pytest.mark.parametrize(
    "event",
    [
        GroupEnded(Counts(succeeded=1, failed=1)),
        ImageEnded(0, "morning.jpg", ImageState.SUCCEEDED, None, None, ()),
    ],
)
def test_what_is_sent_is_what_the_page_shows(event: GroupEnded | ImageEnded) -> None:
    shown = [json.loads(text) for text in re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)]
    delivery = Delivery(GROUP, "0", 1, 1, "https://example.org", event, 1_795_608_000.123456, None)
    assert json.loads(payload(delivery, "https://images.example.org")) in shown


def test_the_schedule_is_the_one_that_is_kept_to() -> None:
    hours = [seconds / 3600 for seconds in SCHEDULE[3:]]
    assert SCHEDULE[:3] == (5, 300, 1800)
    assert "5 seconds, 5 minutes, 30 minutes, 2, 5, 10, 14, 20 and 24 hours" in PAGE
    assert hours == [2, 5, 10, 14, 20, 24]
