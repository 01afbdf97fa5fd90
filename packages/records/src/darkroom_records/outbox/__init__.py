"""The outbox: every email that is to go out or went out, and the one place that changes what is true of it."""

from darkroom_records.outbox.records import Claim, EmailRecord, Refusal
from darkroom_records.outbox.sender import EmailSender, notification_request, submit_results
from darkroom_records.outbox.store import Occasion, Outbox, Result, UnknownEmailError

__all__ = [
    "Claim",
    "EmailRecord",
    "EmailSender",
    "Occasion",
    "Outbox",
    "Refusal",
    "Result",
    "UnknownEmailError",
    "notification_request",
    "submit_results",
]
