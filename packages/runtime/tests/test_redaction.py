"""What logs and Flower must not tell."""

import json
import logging

import pytest
import structlog
from darkroom_contracts.ids import celery_id, new_group_id, task_id
from darkroom_runtime.logs import configure
from darkroom_runtime.redaction import shorten_ids
from darkroom_runtime.settings import Settings

ID = "0123456789abcdef0123456789abcdef"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (ID, "01234567…"),
        (f"Task images.process[{ID}.12] received", "Task images.process[01234567….12] received"),
        (f"Exception on /status/{ID}/ [GET]", "Exception on /status/01234567…/ [GET]"),
        (f"groups/{ID}/in/0", "groups/01234567…/in/0"),
        (f"'darkroom:group:{ID}:items'", "'darkroom:group:01234567…:items'"),
        ("Exception on /confirm/abc.def-g_h [POST]", "Exception on /confirm/… [POST]"),
        ('"/unsubscribe/abc.def?x=1"', '"/unsubscribe/…?x=1"'),
        (f"sha256 {ID}{ID}", f"sha256 {ID}{ID}"),
        ([(ID, 1)], [["01234567…", 1]]),
        ({ID: {"of": ID}}, {"01234567…": {"of": "01234567…"}}),
        (LookupError(f"There is no group {ID}."), "There is no group 01234567…."),
        (1.5, 1.5),
        (None, None),
    ],
)
def test_a_secret_id_is_shortened_wherever_it_stands(text: object, expected: object) -> None:
    assert shorten_ids(text) == expected


def test_celerys_id_of_an_image_leads_to_its_group_only_for_who_knows_the_group() -> None:
    group_id = new_group_id()
    shown = celery_id(task_id(group_id, 7))
    assert shown.startswith(group_id[:8])
    assert shown.endswith(".7")
    assert group_id[8:] not in shown
    assert shorten_ids(shown) == shown, "logs and Flower show the same"
    assert celery_id(task_id(group_id, 7)) == shown


def test_no_line_of_a_log_holds_a_secret_id_but_the_request_is_named_in_full(
    capsys: pytest.CaptureFixture[str],
) -> None:
    before = logging.root.handlers[:], logging.root.level
    try:
        configure(Settings(), "test")
        with structlog.contextvars.bound_contextvars(request_id=ID, group_id=ID):
            structlog.get_logger("ours").info("image_skipped", indices=[1], key=f"groups/{ID}/in/1")
            logging.getLogger("theirs").error("Task %s[%s] received", "images.process", f"{ID}.1")
            try:
                raise LookupError(f"There is no group {ID}.")
            except LookupError:
                logging.getLogger("theirs").exception("Exception on /status/%s", ID)
    finally:
        logging.root.handlers[:], logging.root.level = before
        structlog.reset_defaults()
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert len(lines) == 3
    for line in lines:
        assert line.pop("request_id") == ID
        assert ID[8:] not in json.dumps(line)
        assert "01234567…" in json.dumps(line, ensure_ascii=False)
