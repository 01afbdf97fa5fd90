"""Ids and keys."""

import pytest
from darkroom_contracts.ids import image_of_task, is_group_id, new_group_id, task_id


def test_a_new_group_id_is_one() -> None:
    assert is_group_id(new_group_id())


def test_no_two_groups_share_an_id() -> None:
    assert len({new_group_id() for _ in range(1000)}) == 1000


@pytest.mark.parametrize("text", ["", "..", "../../etc/passwd", "0" * 31, "0" * 33, "G" * 32, "0" * 32 + "\n"])
def test_what_could_lead_elsewhere_is_no_group_id(text: str) -> None:
    assert not is_group_id(text)


def test_the_task_id_of_an_image_leads_back_to_it() -> None:
    group_id = new_group_id()
    assert image_of_task(task_id(group_id, 12)) == (group_id, 12)


@pytest.mark.parametrize(
    "text", ["", "a.1", "0" * 32, "0" * 32 + ".", "0" * 32 + ".01", "0" * 32 + ".-1", "0" * 32 + ".1\n"]
)
def test_what_is_no_task_id_of_an_image_leads_to_none(text: str) -> None:
    assert image_of_task(text) is None
