"""Who can be written to, and what an email may say."""

import pytest
from darkroom_contracts.mail import (
    MAX_BODY,
    MAX_RECIPIENTS,
    MAX_SUBJECT,
    Address,
    ConfirmationEmail,
    Email,
    EmailContent,
    EmailState,
    NewsletterEmail,
    ResultsEmail,
    TextEmail,
    content_from_message,
    content_to_message,
    parse_address,
)

ADA = Address("ada@example.org")


@pytest.mark.parametrize(
    "text", ["ada@example.org", "a@localhost", "o'neil+tag/x@mail.example.co.uk", "x" * 64 + "@b.de"]
)
def test_an_address_is_taken(text: str) -> None:
    assert parse_address(text) == text


def test_the_domain_of_an_address_is_in_lower_case() -> None:
    assert parse_address("Ada@Example.ORG") == "Ada@example.org"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ada",
        "@example.org",
        "ada@",
        "ada@example.org,bob@example.org",
        "ada@example.org, bob@example.org",
        "ada@example.org bob@example.org",
        "ada@example.org;bob@example.org",
        "ada@bob@example.org",
        "Ada <ada@example.org>",
        "ada@example.org\n",
        "ada@example.org\r\nBcc: eve@example.org",
        "ada@exa\0mple.org",
        '"ada\r\n"@example.org',
        "ada@-example.org",
        "ada@example..org",
        "ada@[127.0.0.1]",
        "ädä@example.org",
        "ada@example.org ",
        "x" * 65 + "@example.org",
        "ada@" + ".".join(["x" * 60] * 5),
    ],
)
def test_anything_but_one_bare_address_is_refused_with_a_sentence(text: str) -> None:
    with pytest.raises(ValueError, match="Invalid email address"):
        parse_address(text)


@pytest.mark.parametrize("subject", ["", "x" * (MAX_SUBJECT + 1), "a\nb", "a\rb", "a\0b", "\u2028", "\x85", "\ud800"])
def test_a_subject_that_is_not_one_line_of_text_is_refused(subject: str) -> None:
    with pytest.raises(ValueError, match="subject"):
        TextEmail(subject=subject, body="Good day.")


@pytest.mark.parametrize("body", ["", "x" * (MAX_BODY + 1), "a\ud800b"])
def test_a_body_that_cannot_be_sent_is_refused(body: str) -> None:
    with pytest.raises(ValueError, match="body"):
        TextEmail(subject="Hello", body=body)


def test_a_text_in_any_script_is_taken() -> None:
    TextEmail(subject="Grüße 👩‍💻 مرحبا", body="Zeile 1\nZeile 2\n\tשלום")


def test_a_mail_goes_to_somebody_and_not_to_everybody() -> None:
    content = TextEmail(subject="Hello", body="Good day.")
    for to in ((), (ADA,) * (MAX_RECIPIENTS + 1)):
        with pytest.raises(ValueError, match="at least one address"):
            Email(to, content)


@pytest.mark.parametrize(
    "content",
    [
        TextEmail(subject="Hello", body="Good day."),
        ResultsEmail(group_id="0" * 32),
        ConfirmationEmail(),
        NewsletterEmail(issue="2026-W47"),
    ],
)
def test_what_a_mail_says_survives_its_record(content: EmailContent) -> None:
    assert content_from_message(content_to_message(content)) == content


def test_a_mail_ends_in_one_of_four_states() -> None:
    assert {state for state in EmailState if state.is_final} == {
        EmailState.SENT,
        EmailState.PARTIAL,
        EmailState.FAILED,
        EmailState.CANCELLED,
    }
