"""What the answers of a mail server come to: sent, tried again, or given up."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from time import time

from darkroom_contracts.mail import Address, EmailState
from darkroom_records.outbox import Claim, Refusal, Result

_MAX_WAIT = 3600.0
"""Seconds. An email is tried at least so often until it is given up."""


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """Judges attempts.

    Args:
        first_wait: seconds until the second attempt; doubled from attempt to attempt.
        period: seconds after which an email is given up.
    """

    first_wait: float
    period: float

    def on_answers(self, claim: Claim, refusals: Mapping[Address, Refusal]) -> Result:
        """The email was offered, and went to everyone who is not among the refusals."""
        final = {address: refusal for address, refusal in refusals.items() if refusal.is_final}
        left = {address: refusal for address, refusal in refusals.items() if not refusal.is_final}
        after = replace(
            claim,
            to=tuple(left),
            accepted=claim.accepted + len(claim.to) - len(refusals),
            refused={**claim.refused, **final},
        )
        if left:
            return self.try_later(after, _in_words(left))
        state = EmailState.SENT if not after.refused else _not_to_everyone(after)
        return ended(after, state, _in_words(after.refused))

    def try_later(self, claim: Claim, reason: str) -> Result:
        """The email could not be sent now."""
        wait = min(self.first_wait * 2.0 ** (claim.attempt - 1), _MAX_WAIT)
        # Half of it by chance, so that emails that failed together do not come back together.
        wait *= 0.5 + secrets.SystemRandom().random() / 2
        if self.is_late(claim, wait):
            return self.give_up(claim, reason)
        return replace(ended(claim, EmailState.QUEUED, reason), wait=wait)

    def give_up(self, claim: Claim, reason: str) -> Result:
        """The email was tried for long enough."""
        return ended(claim, _not_to_everyone(claim), f"Given up after {self.period / 3600:g} hours. {reason}")

    def is_late(self, claim: Claim, wait: float = 0.0) -> bool:
        """Whether the email's time will be over in so many seconds."""
        return time() + wait > claim.created_at + self.period


def ended(claim: Claim, state: EmailState, reason: str) -> Result:
    """The email in this state, as far as it has come."""
    return Result(state, claim.to, claim.accepted, claim.refused, reason)


def _not_to_everyone(claim: Claim) -> EmailState:
    return EmailState.PARTIAL if claim.accepted else EmailState.FAILED


def _in_words(refusals: Mapping[Address, Refusal]) -> str:
    return "; ".join(f"{address}: {refusal}" for address, refusal in refusals.items())
