"""Sending an email of the outbox, once, and writing down what became of it."""

import threading
from contextlib import nullcontext
from dataclasses import dataclass

import structlog
from darkroom_contracts.mail import Address, EmailState, NewsletterEmail, ResultsEmail
from darkroom_records.groups import Group
from darkroom_records.outbox import Claim, Outbox, Result
from darkroom_records.subscribers import Subscribers
from darkroom_runtime import logs

from darkroom_mailer.composition import Composer
from darkroom_mailer.envelope import build_message
from darkroom_mailer.reasons import NothingToSendError, NotWantedError
from darkroom_mailer.retry_policy import RetryPolicy, ended
from darkroom_mailer.settings import MailerSettings
from darkroom_mailer.smtp import EmailRefusedError, MailServer, UnreachableError

_LARGE_AT_ONCE = 2
"""Emails with an archive that a mailer holds in memory: each takes 100 MB while it is sent, as 15 MB are encoded and
copied on their way (measured); four would fill the container."""

_log = structlog.get_logger(__name__)


class _ClaimLostError(Exception):
    """Another mailer has taken the email over meanwhile."""


@dataclass(frozen=True, slots=True)
class _Attempt:
    result: Result
    bounced: tuple[Address, ...] = ()
    reachable: bool = True


class Delivery:
    """Sends emails. Safe to share between threads."""

    def __init__(
        self, settings: MailerSettings, outbox: Outbox, composer: Composer, subscribers: Subscribers, worker: str
    ) -> None:
        self._settings = settings
        self._outbox = outbox
        self._composer = composer
        self._subscribers = subscribers
        self._worker = worker
        self._server = MailServer(settings)
        self._room_for_large = threading.BoundedSemaphore(_LARGE_AT_ONCE)
        self._retry_policy = RetryPolicy(first_wait=settings.mail_retry_wait, period=settings.mail_retry_period)

    def deliver(self, email_id: str, group: Group | None = None) -> bool:
        """Send an email if it is due and nobody else does.

        Args:
            email_id: the email.
            group: whose results it brings, where they were read just now.

        Returns:
            False if the mail server, or what the email is made from, could not be reached. The email is tried again.
        """
        claim = self._outbox.claim(email_id, worker=self._worker, max_duration=self._settings.max_sending_seconds)
        if claim is None:
            _log.info("email_skipped", email_id=email_id)
            return True
        with logs.bind_request_id(claim.request_id):
            attempt = self._attempt(claim, group)
            if self._outbox.settle(claim, attempt.result):
                self._note(claim, attempt)
        return attempt.reachable

    def _attempt(self, claim: Claim, group: Group | None) -> _Attempt:
        # Also ends an email that stops its mailer each time.
        if claim.attempt > 1 and self._retry_policy.is_late(claim):
            return _Attempt(self._retry_policy.give_up(claim, claim.reason or "It was begun and never came to an end."))
        try:
            with self._room_for_large if isinstance(claim.content, ResultsEmail) else nullcontext():
                return self._send(claim, group)
        except _ClaimLostError as error:
            return _Attempt(ended(claim, EmailState.QUEUED, str(error)))  # which is then not written down
        except NotWantedError as error:
            return _Attempt(ended(claim, EmailState.CANCELLED, str(error)))
        except NothingToSendError as error:
            return _Attempt(ended(claim, EmailState.FAILED, str(error)))
        except (UnreachableError, OSError) as error:
            return _Attempt(self._retry_policy.try_later(claim, str(error)), reachable=False)

    def _send(self, claim: Claim, group: Group | None) -> _Attempt:
        def before_text() -> None:
            if not self._outbox.hand_over(claim):
                raise _ClaimLostError("Another mailer has taken this email over.")

        text = build_message(self._composer.compose(claim, group), claim, self._settings)
        try:
            refusals = self._server.send(claim.to, text, before_text=before_text)
        except EmailRefusedError as error:
            return _Attempt(self._retry_policy.on_answers(claim, dict.fromkeys(claim.to, error.refusal)))
        bounced = tuple(address for address, refusal in refusals.items() if refusal.is_final)
        return _Attempt(self._retry_policy.on_answers(claim, refusals), bounced)

    def _note(self, claim: Claim, attempt: _Attempt) -> None:
        _log.info(
            "email_attempted",
            email_id=claim.email_id,
            kind=claim.content.kind,
            attempt=claim.attempt,
            state=attempt.result.state,
            codes=[refusal.code for refusal in attempt.result.refused.values()],
        )
        if isinstance(claim.content, NewsletterEmail):
            self._record_bounces(claim, attempt)

    def _record_bounces(self, claim: Claim, attempt: _Attempt) -> None:
        for address in attempt.bounced:
            if self._subscribers.record_bounce(address, limit=self._settings.newsletter_bounce_limit):
                _log.warning("subscriber_removed", email_id=claim.email_id, reason="its server refuses our emails")
        if attempt.result.state is EmailState.SENT:
            self._subscribers.reset_bounces(claim.to[0])
