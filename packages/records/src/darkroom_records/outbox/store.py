"""The outbox on Redis: every step is one atomic script, and doing a step twice is the same as doing it once.

An email is sent by whoever claims it. A claim belongs to a worker and lasts while that worker's heartbeat does; what a
dead worker was still preparing is claimed again. Just before an email's text goes to a server the claim is marked as
handing over. A worker that dies from there on leaves an email that may or may not have arrived: it is not sent again,
and its record says so (docs/adr/0004-mail-is-sent-once.md).
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, cast

from darkroom_contracts.ids import is_email_id, new_email_id
from darkroom_contracts.mail import Email, EmailState, Recipients, ResultsEmail, content_to_message
from darkroom_runtime.logs import current_request_id
from darkroom_runtime.workers import heartbeat_key
from redis import Redis

from darkroom_records import _keys as keys
from darkroom_records.groups import UnknownGroupError
from darkroom_records.mail_limits import Counters, MailLimits, MailRequest
from darkroom_records.outbox.records import Claim, EmailRecord, Refusals, read_claim, read_email, write_refusals
from darkroom_records.steps import Step

PATIENCE = 30
"""Seconds that an email's message has to be taken, and a claim to be settled, before the email is looked at again."""

IN_DOUBT = (
    "The mailer stopped while it handed this email over, so it may or may not have arrived. It is not sent again by "
    "itself; ask for it again if it is missing."
)

_PACKAGE = "darkroom_records.outbox"


class UnknownEmailError(LookupError):
    """There is no email of this id."""


@dataclass(frozen=True, slots=True)
class Occasion:
    """Something that one email is sent about, however often it is asked for within so many seconds."""

    name: str
    cool_down: int


@dataclass(frozen=True, slots=True)
class Result:
    """What an attempt came to.

    Args:
        state: the email's new state; ``queued`` if it is to be tried again.
        left: the recipients it has not gone to yet.
        accepted: how many recipients' servers took it, in all attempts.
        refused: the recipients it will never reach.
        reason: why it was not sent to everyone.
        wait: seconds after which it is to be tried again.
    """

    state: EmailState
    left: Recipients
    accepted: int
    refused: Refusals
    reason: str = ""
    wait: float = 0.0


class Outbox:
    """Reads and changes the records of emails. Safe to share between threads.

    Args:
        redis: where they are.
        limits: what every email that is submitted here must keep to.
    """

    def __init__(self, redis: Redis, limits: MailLimits) -> None:
        self._redis = redis
        self._limits = limits
        self._reserve = Step(redis, _PACKAGE, "limits", "reserve")
        self._submit = self._script("limits", "submit")
        self._claim = self._script("claim")
        self._hand_over = self._script("hand_over")
        self._settle = self._script("settle")
        self._due = Step(redis, _PACKAGE, "due")

    def reserve(self, to: Recipients, request: MailRequest) -> None:
        """Count an email that is submitted later, under the same name, so that it is refused before anything changes.

        Raises:
            MailLimitError: there were too many.
        """
        self._count(self._limits.counters(to, request))

    def count_unsubscription(self, client: str) -> None:
        """Count that a client takes an address off the newsletter, which nobody may do to a whole list of them.

        Raises:
            MailLimitError: there were too many.
        """
        self._count(self._limits.unsubscribing(client, new_email_id()))

    def submit(
        self, email: Email, *, request: MailRequest, email_id: str | None = None, occasion: Occasion | None = None
    ) -> str:
        """Write an email down, to be sent as soon as a mailer comes to it, unless there were too many.

        Args:
            email: what is sent, and to whom.
            request: who asks for it.
            email_id: its id, where the same email may be submitted more than once; a random one by default.
            occasion: what it is about, where there must not be a second email about it for a while.

        Returns:
            The id of the email that goes out: an earlier one's, if one on the same occasion went out or still may.

        Raises:
            MailLimitError: too many were asked for, by this client or to this address.
            UnknownGroupError: it carries the results of a group that is gone.
        """
        record = {
            "to": json.dumps(email.to),
            "content": json.dumps(content_to_message(email.content)),
            "request_id": current_request_id() or "",
        }
        once, cool_down = (keys.email_once(occasion.name), occasion.cool_down) if occasion else ("", 0)
        content, counters = email.content, self._limits.counters(email.to, request)
        group_id = content.group_id if isinstance(content, ResultsEmail) else None
        submitted = self._submit(
            email_id or new_email_id(),
            json.dumps(record),
            PATIENCE,
            cool_down,
            *counters.arguments,
            once=once,
            group_id=group_id,
            counters=counters.keys,
        )
        if submitted is None:
            raise UnknownGroupError(f"There is no group {group_id}.")
        counters.check(submitted)
        return cast("str", submitted)

    def claim(self, email_id: str, *, worker: str, max_duration: float) -> Claim | None:
        """Take an email to send it.

        Args:
            email_id: the email.
            worker: the name under which this worker keeps its heartbeat.
            max_duration: seconds after which even a living worker has certainly stopped sending an email.

        Returns:
            The claim, or None where there is nothing to do: the email has ended, is unknown or not due, or another
            living worker has it.
        """
        record = self._claim(email_id, worker, max_duration, PATIENCE, IN_DOUBT)
        return read_claim(email_id, dict(zip(record[::2], record[1::2], strict=True))) if record else None

    def hand_over(self, claim: Claim) -> bool:
        """Mark that the email's text is now given to a server. False if the claim was lost: it must not be."""
        return bool(self._hand_over(claim.email_id, claim.attempt))

    def settle(self, claim: Claim, result: Result) -> bool:
        """Write down what an attempt came to. False if another one has begun since, and nothing was changed."""
        return bool(
            self._settle(
                claim.email_id,
                claim.attempt,
                result.state,
                json.dumps(result.left),
                result.accepted,
                write_refusals(result.refused),
                result.reason,
                result.wait,
            )
        )

    def due(self, limit: int) -> list[str]:
        """The ids of emails that a message must be sent for, at most so many; each once in ``PATIENCE`` seconds."""
        return cast("list[str]", self._due([keys.DUE_MAIL], [limit, PATIENCE]))

    def read(self, email_id: str) -> EmailRecord:
        """The email as it stands. It can be read for eight days after it ended.

        Raises:
            UnknownEmailError: there is none of this id.
        """
        record = self._redis.hgetall(keys.email_record(email_id)) if is_email_id(email_id) else {}
        if not record:
            raise UnknownEmailError("There is no email of this id.")
        return read_email(email_id, cast("dict[str, str]", record))

    def _count(self, counters: Counters) -> None:
        counters.check(self._reserve(counters.keys, counters.arguments))

    def _script(self, *parts: str) -> Callable[..., Any]:
        step = Step(self._redis, _PACKAGE, "common", *parts)

        def run(
            email_id: str,
            *arguments: str | float,
            once: str = "",
            group_id: str | None = None,
            counters: Sequence[str] = (),
        ) -> Any:
            group = (keys.group_emails(group_id), keys.group_record(group_id)) if group_id else ("", "")
            return step(
                [keys.email_record(email_id), keys.DUE_MAIL, once, *group, *counters],
                [email_id, heartbeat_key(""), *arguments],
            )

        return run
