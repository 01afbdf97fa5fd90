"""Emails: who can be written to, what each kind carries, and what becomes of one.

An email travels as an id. What it says is composed when it is sent, from the little that is written down here.
"""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Any, ClassVar, NewType, TypeAlias

MAX_ADDRESS = 254
"""The longest address in characters: RFC 5321, 4.5.3.1.3, less the angle brackets."""
MAX_LOCAL_PART = 64
"""The longest part before the @: RFC 5321, 4.5.3.1.1."""
MAX_RECIPIENTS = 20
"""The most addresses one email may have."""
MAX_SUBJECT = 200
"""The longest subject in characters."""
MAX_BODY = 100_000
"""The longest text of an email in characters."""

# What HTML's <input type=email> takes (WHATWG HTML, "valid e-mail address"): one bare address, in ASCII.
_LABEL = r"[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?"
_ADDRESS = re.compile(rf"[a-zA-Z0-9.!#$%&'*+/=?^_`{{|}}~-]+@{_LABEL}(?:\.{_LABEL})*")
_HARMFUL_IN_A_LINE = frozenset({"Cc", "Cs", "Zl", "Zp"})
"""Unicode categories that end a line or cannot be written as UTF-8."""


Address = NewType("Address", str)
"""One bare email address (``ada@example.org``), as ``parse_address`` returned it. Parsed once, where it comes in,
it is safe in a header and in an SMTP command."""


def parse_address(text: str) -> Address:
    """Return the address that a text is, its domain in lower case.

    Raises:
        ValueError: the text is not exactly one address, or a longer one than mail can carry.
    """
    if len(text) > MAX_ADDRESS or not _ADDRESS.fullmatch(text):
        raise ValueError("Invalid email address. Expected exactly one, such as ada@example.org.")
    local_part, _, domain = text.rpartition("@")
    if len(local_part) > MAX_LOCAL_PART:
        raise ValueError(f"Invalid email address: more than {MAX_LOCAL_PART} characters before the @.")
    return Address(f"{local_part}@{domain.lower()}")


class EmailState(StrEnum):
    """Where an email stands: ``queued`` and ``sending`` take turns until one of the four final states."""

    QUEUED = "queued"
    SENDING = "sending"
    SENT = "sent"
    PARTIAL = "partial"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def is_final(self) -> bool:
        return self not in (EmailState.QUEUED, EmailState.SENDING)


class EmailContent:
    """What an email says, or what it is composed from."""

    __slots__ = ()
    kind: ClassVar[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class TextEmail(EmailContent):
    """A subject and a plain text.

    Raises:
        ValueError: one of them is missing or too long, or the subject has more than one line.
    """

    kind: ClassVar[str] = "text"
    subject: str
    body: str

    def __post_init__(self) -> None:
        _check_length("subject", self.subject, MAX_SUBJECT)
        _check_length("body", self.body, MAX_BODY)
        if any(unicodedata.category(character) in _HARMFUL_IN_A_LINE for character in self.subject):
            raise ValueError("The subject must be one line of text.")
        if any(unicodedata.category(character) == "Cs" for character in self.body):
            raise ValueError("The body holds half a character (a lone surrogate), which cannot be sent.")


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultsEmail(EmailContent):
    """The results of a group."""

    kind: ClassVar[str] = "results"
    group_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfirmationEmail(EmailContent):
    """The question whether its recipient wants the newsletter."""

    kind: ClassVar[str] = "confirmation"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewsletterEmail(EmailContent):
    """One issue of the newsletter."""

    kind: ClassVar[str] = "newsletter"
    issue: str


Recipients: TypeAlias = tuple[Address, ...]

CONTENTS: Mapping[str, type[EmailContent]] = MappingProxyType(
    {content.kind: content for content in (TextEmail, ResultsEmail, ConfirmationEmail, NewsletterEmail)}
)
"""Every kind of email, by its name."""


@dataclass(frozen=True, slots=True)
class Email:
    """An email as it is asked for.

    Raises:
        ValueError: nobody to send it to, or too many.
    """

    to: Recipients
    content: EmailContent

    def __post_init__(self) -> None:
        if not 1 <= len(self.to) <= MAX_RECIPIENTS:
            raise ValueError(f"An email goes to at least one address and at most {MAX_RECIPIENTS}.")


def content_to_message(content: EmailContent) -> dict[str, Any]:
    """The content as plain JSON."""
    return {"kind": content.kind} | asdict(content)  # type: ignore[call-overload,no-any-return]  # each kind is a dataclass


def content_from_message(message: Mapping[str, Any]) -> EmailContent:
    """The content that ``content_to_message`` gave."""
    arguments = dict(message)
    return CONTENTS[arguments.pop("kind")](**arguments)


def _check_length(name: str, text: str, limit: int) -> None:
    if not 1 <= len(text) <= limit:
        raise ValueError(f"The {name} must have 1 to {limit} characters; this one has {len(text)}.")
