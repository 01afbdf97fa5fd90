"""Sending an issue of the newsletter to every subscriber, at most once, at a steady rate.

A run walks the addresses in the order of their letters and keeps its place in Redis; whoever comes next goes on from
there. What keeps a second letter from anybody is not the place but the set of those served, and the letter's id, which
follows from the issue and the address: submitted again, it is the same mail. So a run may be interrupted anywhere,
begun twice or begun again, and reaches those who subscribed since.
"""

import hashlib
import time
from collections.abc import Callable
from contextlib import suppress
from typing import cast

from darkroom_contracts.ids import new_email_id
from darkroom_contracts.mail import Address, Mail, NewsletterMail
from darkroom_records import _keys
from darkroom_records.mail_limits import MailRequest
from darkroom_records.newsletter_calendar import Issue
from darkroom_records.outbox import Outbox
from darkroom_records.subscribers import Subscribers
from redis import Redis
from redis.exceptions import LockError

RUN = 10.0
"""Seconds after which a run makes way for the next one, so that stopping a mailer never waits for a whole issue."""

_KEPT = 35 * 24 * 3600
_LOCK_EXPIRY = 120.0


class Newsletter:
    """Runs of the newsletter.

    Args:
        redis: where its place is kept.
        outbox: takes each letter.
        subscribers: who gets one.
        deliver: sends a letter by its id; False if the mail server cannot be reached.
        rate: letters sent each second, by all mailers together.
    """

    def __init__(
        self,
        redis: Redis,
        outbox: Outbox,
        subscribers: Subscribers,
        *,
        deliver: Callable[[str], bool],
        rate: float,
    ) -> None:
        self._redis = redis
        self._outbox = outbox
        self._subscribers = subscribers
        self._deliver = deliver
        self._interval = round(1000 / rate)

    def is_due(self, issue: Issue) -> bool:
        """Whether the issue was missed or interrupted. A house that is new has missed nothing."""
        if self._redis.set(_keys.LATEST_ISSUE, issue.name, nx=True):
            return False
        missed = self._redis.get(_keys.LATEST_ISSUE) != issue.name
        return missed or self._redis.hget(_keys.issue_record(issue.name), "state") == "running"

    def begin(self, issue: Issue) -> None:
        """Let the issue be sent to everyone who did not get it. Changes nothing while it is being sent."""
        record = _keys.issue_record(issue.name)
        if self._redis.hget(record, "state") == "running":
            return
        with self._redis.pipeline() as pipe:
            pipe.hsetnx(record, "secret", new_email_id())
            pipe.hset(record, mapping={"state": "running", "place": ""})
            pipe.expire(record, _KEPT)
            pipe.set(_keys.LATEST_ISSUE, issue.name)
            pipe.execute()

    def run(self, issue: Issue, *, seconds: float = RUN) -> bool:
        """Send letters for so long, unless another mailer does.

        Returns:
            Whether the next run should follow at once.
        """
        lock = self._redis.lock(_keys.issue_lock(issue.name), timeout=_LOCK_EXPIRY, blocking=False)
        if not lock.acquire():
            return False
        try:
            return self._walk(issue, time.monotonic() + seconds)
        finally:
            with suppress(LockError):  # it expired during a long sending: then two runs went side by side
                lock.release()

    def _walk(self, issue: Issue, until: float) -> bool:
        record = _keys.issue_record(issue.name)
        secret, place = cast("list[str]", self._redis.hmget(record, "secret", "place"))
        for page in self._subscribers.after(place):
            for address in self._unserved(issue, page):
                if time.monotonic() > until:
                    return True
                if not self._serve(issue, address, secret):
                    return False
            self._redis.hset(record, "place", page[-1])
        self._redis.hset(record, "state", "done")
        return False

    def _unserved(self, issue: Issue, page: list[Address]) -> list[Address]:
        served = cast("list[int]", self._redis.smismember(_keys.issue_served(issue.name), page))
        return [address for address, was in zip(page, served, strict=True) if not was]

    def _serve(self, issue: Issue, address: Address, secret: str) -> bool:
        self._wait_for_turn()
        # The secret keeps anybody from asking after the letter of an address, and so whether it is a subscriber's.
        mail_id = hashlib.sha256(f"{secret}:{address}".encode()).hexdigest()[:32]
        letter = Mail((address,), NewsletterMail(issue=issue.name))
        # Not counted: its recipient confirmed that it is wanted, and each issue has one letter for each.
        self._outbox.submit(letter, request=MailRequest(mail_id, exempt=True), mail_id=mail_id)
        with self._redis.pipeline() as pipe:
            pipe.sadd(_keys.issue_served(issue.name), address)
            pipe.expire(_keys.issue_served(issue.name), _KEPT)
            pipe.execute()
        return self._deliver(mail_id)

    def _wait_for_turn(self) -> None:
        while not self._redis.set(_keys.NEWSLETTER_PACE, "taken", nx=True, px=self._interval):
            time.sleep(max(self._redis.pttl(_keys.NEWSLETTER_PACE), 1) / 1000)
