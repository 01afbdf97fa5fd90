"""Which addresses count as one."""

import pytest
from darkroom_contracts.mail import Address
from darkroom_records.mailbox import mailbox


@pytest.mark.parametrize(
    "same",
    [
        ["ada@example.org", "Ada@Example.org", "ada+news@example.org", "ada+a+b@example.org"],
        ["adalovelace@gmail.com", "ada.lovelace@gmail.com", "a.d.a.lovelace+x@googlemail.com", "ADALovelace@GMail.com"],
        ["ada@outlook.com", "ada+1@outlook.com"],
        ["ada@hotmail.com", "ada+1@hotmail.com"],
        ["ada@icloud.com", "ada+1@me.com", "ada@mac.com"],
        ["ada@fastmail.com", "ada+1@fastmail.com", "anything@ada.fastmail.com"],
        ["adalove@proton.me", "ada.love+1@protonmail.com", "ada-love@pm.me", "ada_love@proton.me"],
        ["ada@yandex.com", "ada+1@ya.ru"],
    ],
)
def test_spellings_of_one_mailbox_count_as_one(same: list[str]) -> None:
    assert len({mailbox(Address(address)) for address in same}) == 1


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("a.da@example.org", "ada@example.org"),
        ("a.da@outlook.com", "ada@outlook.com"),
        ("ada@outlook.com", "ada@hotmail.com"),
        ("ada-x@gmail.com", "ada@gmail.com"),
        ("ada@gmail.com", "ada@gmail.org"),
        ("ada@fastmail.com", "ada@bob.fastmail.com"),
    ],
)
def test_different_mailboxes_count_apart(one: str, other: str) -> None:
    assert mailbox(Address(one)) != mailbox(Address(other))
