"""An email as it goes over the wire."""

from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default

import pytest
from darkroom_contracts.mail import Address, TextEmail
from darkroom_mailer.envelope import Attachment, ComposedEmail, build_message
from darkroom_mailer.settings import MailerSettings
from darkroom_records.outbox import Claim

SETTINGS = MailerSettings(mail_from="darkroom@example.org", mail_from_name='Dark "Room" <x>, Grüße')
LONG_URL = "https://darkroom.example.org/unsubscribe/" + "abc-._" * 30


def claim(*to: str) -> Claim:
    content = TextEmail(subject="unused", body="unused")
    addresses = tuple(Address(address) for address in to or ("ada@example.org",))
    return Claim("0" * 32, 1, addresses, content, 1795262400.0, 0, {}, None, None)


def read(message: bytes) -> EmailMessage:
    return message_from_bytes(message, policy=default)


def test_the_headers_say_who_when_and_which() -> None:
    message = read(
        build_message(ComposedEmail("Hello", "Good day."), claim("ada@example.org", "bob@example.org"), SETTINGS)
    )
    assert message["From"].addresses[0].display_name == 'Dark "Room" <x>, Grüße'
    assert message["From"].addresses[0].addr_spec == "darkroom@example.org"
    assert message["To"] == "ada@example.org, bob@example.org"
    assert message["Date"] == "Sat, 21 Nov 2026 12:00:00 +0000"
    assert message["Message-ID"] == f"<{'0' * 32}@example.org>"
    assert message["Auto-Submitted"] == "auto-generated"


def test_a_mail_is_the_same_at_each_attempt() -> None:
    email = ComposedEmail("Hello", "Good day.")
    assert build_message(email, claim(), SETTINGS) == build_message(email, claim(), SETTINGS)


def test_a_long_link_stays_in_one_piece_where_mail_programs_look_for_it() -> None:
    email = ComposedEmail("Hello", "Good day.", headers={"List-Unsubscribe": f"<{LONG_URL}>"})
    assert f"\r\nList-Unsubscribe: <{LONG_URL}>\r\n".encode() in build_message(email, claim(), SETTINGS)


@pytest.mark.parametrize("newline", ["\r\n", "\n", "\r"])
def test_no_header_can_hold_a_second_one(newline: str) -> None:
    injected = f"Hello{newline}Bcc: eve@example.org"
    for email in (
        ComposedEmail(injected, "Good day."),
        ComposedEmail("Hello", "Good day.", headers={"List-Id": injected}),
    ):
        with pytest.raises(ValueError, match="linefeed or carriage return"):
            build_message(email, claim(), SETTINGS)


def test_lines_are_as_long_as_mail_allows() -> None:
    """RFC 5322, 2.1.1: at most 998 characters, and no line of one character more."""
    email = ComposedEmail("Größe, " * 30 + "x", "x" * 5000, "<p>" + "y" * 5000 + "</p>")
    message = build_message(email, claim(), SETTINGS)
    assert max(len(line) for line in message.split(b"\r\n")) <= 998
    assert message.isascii()
    assert read(message)["Subject"] == "Größe, " * 30 + "x"


def test_text_html_and_attachment_come_back_as_they_were() -> None:
    data = bytes(range(256)) * 50
    email = ComposedEmail("Hello", "Grüße\n", "<p>Grüße</p>", Attachment("a.zip", "application/zip", data))
    message = read(build_message(email, claim(), SETTINGS))
    assert [part.get_content_type() for part in message.walk()] == [
        "multipart/mixed",
        "multipart/alternative",
        "text/plain",
        "text/html",
        "application/zip",
    ]
    (attachment,) = message.iter_attachments()
    assert attachment.get_content() == data
