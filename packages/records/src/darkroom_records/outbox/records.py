"""What the outbox gives out."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from darkroom_contracts.mail import Address, EmailContent, EmailState, Recipients, content_from_message


@dataclass(frozen=True, slots=True)
class Refusal:
    """A mail server's no: its SMTP reply code and its words."""

    code: int
    text: str

    @property
    def is_final(self) -> bool:
        """Whether asking again is no use: RFC 5321, 4.2.1, replies of 500 and above."""
        return self.code >= 500

    def __str__(self) -> str:
        return f"{self.code} {self.text}"


Refusals = Mapping[Address, Refusal]


@dataclass(frozen=True, slots=True)
class Claim:
    """An email that was taken to be sent: by which attempt, counted from 1, to whom it has not gone yet, and why."""

    email_id: str
    attempt: int
    to: Recipients
    content: EmailContent
    created_at: float
    accepted: int
    refused: Refusals
    reason: str | None
    request_id: str | None


@dataclass(frozen=True, slots=True)
class EmailRecord:
    """An email, as it stands. Times are Unix seconds.

    Args:
        email_id: its id.
        state: where it stands.
        kind: the kind of its content.
        attempts: how often sending it was begun.
        accepted: how many recipients' servers took it.
        refused: the recipients it will never reach, and why.
        reason: why it was not sent yet, or not to all, or not at all.
        created_at: when it was asked for.
        due_at: the earliest time of the next attempt.
        ended_at: when its state became final.
    """

    email_id: str
    state: EmailState
    kind: str
    attempts: int
    accepted: int
    refused: Refusals
    reason: str | None
    created_at: float
    due_at: float
    ended_at: float | None


def read_email(email_id: str, record: Mapping[str, str]) -> EmailRecord:
    """The email as its Redis hash says."""
    return EmailRecord(
        email_id=email_id,
        state=EmailState(record["state"]),
        kind=json.loads(record["content"])["kind"],
        attempts=int(record["attempt"]),
        accepted=int(record["accepted"]),
        refused=_refusals(record["refused"]),
        reason=record.get("reason") or None,
        created_at=float(record["created_at"]),
        due_at=float(record["due_at"]),
        ended_at=float(record["ended_at"]) if "ended_at" in record else None,
    )


def read_claim(email_id: str, record: Mapping[str, str]) -> Claim:
    """The claim on the email that its Redis hash now holds."""
    return Claim(
        email_id=email_id,
        attempt=int(record["attempt"]),
        to=tuple(json.loads(record["to"])),
        content=content_from_message(json.loads(record["content"])),
        created_at=float(record["created_at"]),
        accepted=int(record["accepted"]),
        refused=_refusals(record["refused"]),
        reason=record.get("reason") or None,
        request_id=record.get("request_id") or None,
    )


def write_refusals(refusals: Refusals) -> str:
    """The refusals as JSON."""
    return json.dumps({address: (refusal.code, refusal.text) for address, refusal in refusals.items()})


def _refusals(text: str) -> Refusals:
    return {address: Refusal(code, words) for address, (code, words) in json.loads(text).items()}
