"""Which lines are shown at the terminal."""

import pytest
from darkroom_local.troubles import Troubles


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        (
            '{"event": "image_failed", "level": "warning", "index": 3, "service": "worker", "timestamp": "t"}',
            "worker: warning: image_failed index=3",
        ),
        ('{"event": "boom", "level": "error", "exception": "Traceback\\n  x"}', "worker: error: boom\nTraceback\n  x"),
        ('{"event": "request", "level": "info"}', None),
        ('{"event": "torn', None),
        (
            "2026-11-25 00:32:45 [warning  ] heartbeat_missed",
            "worker: 2026-11-25 00:32:45 [warning  ] heartbeat_missed",
        ),
        ("2026-11-25 00:32:45 [info     ] request", None),
        ("1:M 25 Nov 2026 00:32:45.123 # Out of memory", "worker: 1:M 25 Nov 2026 00:32:45.123 # Out of memory"),
        ("1:M 25 Nov 2026 00:32:45.123 * Ready to accept connections tcp", None),
        ("a banner", None),
        ("", None),
    ],
)
def test_only_warnings_and_errors_are_shown(line: str, shown: str | None) -> None:
    assert Troubles("worker").show(line) == shown


def test_a_traceback_is_shown_to_its_end() -> None:
    troubles = Troubles("api")
    lines = ["2026-11-25 00:32:45 [error    ] boom", "Traceback (most recent call last):", "ValueError"]
    assert all(troubles.show(line) for line in lines)
    assert troubles.show("2026-11-25 00:32:46 [info     ] request") is None
    assert troubles.show("and on") is None
