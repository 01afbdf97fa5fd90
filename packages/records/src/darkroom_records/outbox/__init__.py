"""The outbox: every mail that is to go out or went out, and the one place that changes what is true of it."""

from darkroom_records.outbox.post import Post, notification_request
from darkroom_records.outbox.records import Claim, MailRecord, Refusal
from darkroom_records.outbox.store import Occasion, Outbox, Result, UnknownMailError

__all__ = [
    "Claim",
    "MailRecord",
    "Occasion",
    "Outbox",
    "Post",
    "Refusal",
    "Result",
    "UnknownMailError",
    "notification_request",
]
