"""How far each issue of the newsletter has come, and the rate at which all mailers send together."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import cast

from darkroom_contracts.ids import new_email_id
from darkroom_contracts.mail import Address
from redis import Redis
from redis.exceptions import LockError

from darkroom_records import _keys as keys
from darkroom_records.newsletter_calendar import Issue

_KEPT = 35 * 24 * 3600
_LOCK_EXPIRY = 120.0


class NewsletterStore:
    """Reads and changes the records of issues. Safe to share between threads."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    def is_due(self, issue: Issue) -> bool:
        """Whether the issue was missed or interrupted. A system that is new has missed nothing."""
        if self._redis.set(keys.LATEST_ISSUE, issue.name, nx=True):
            return False
        missed = self._redis.get(keys.LATEST_ISSUE) != issue.name
        return missed or self._redis.hget(keys.issue_record(issue.name), "state") == "running"

    def begin(self, issue: Issue) -> None:
        """Let the issue be sent to everyone who did not get it. Changes nothing while it is being sent."""
        record = keys.issue_record(issue.name)
        if self._redis.hget(record, "state") == "running":
            return
        with self._redis.pipeline() as pipe:
            pipe.hsetnx(record, "secret", new_email_id())
            pipe.hset(record, mapping={"state": "running", "place": ""})
            pipe.expire(record, _KEPT)
            pipe.set(keys.LATEST_ISSUE, issue.name)
            pipe.execute()

    def finish(self, issue: Issue) -> None:
        """Note that the issue was sent to everyone."""
        self._redis.hset(keys.issue_record(issue.name), "state", "done")

    @contextmanager
    def lock(self, issue: Issue) -> Iterator[bool]:
        """Hold the issue for one run within the block. False where another mailer does."""
        lock = self._redis.lock(keys.issue_lock(issue.name), timeout=_LOCK_EXPIRY, blocking=False)
        if not lock.acquire():
            yield False
            return
        try:
            yield True
        finally:
            with suppress(LockError):  # it expired during a long sending: then two runs went side by side
                lock.release()

    def progress(self, issue: Issue) -> tuple[str, str]:
        """The secret that the ids of the issue's emails follow from, and the address that all up to were sent to."""
        secret, place = cast("list[str]", self._redis.hmget(keys.issue_record(issue.name), "secret", "place"))
        return secret, place

    def advance(self, issue: Issue, address: Address) -> None:
        """Note that the issue was sent to all addresses up to this one."""
        self._redis.hset(keys.issue_record(issue.name), "place", address)

    def unserved(self, issue: Issue, addresses: Sequence[Address]) -> list[Address]:
        """Those of the addresses that the issue was not sent to."""
        served = cast("list[int]", self._redis.smismember(keys.issue_served(issue.name), list(addresses)))
        return [address for address, was in zip(addresses, served, strict=True) if not was]

    def mark_served(self, issue: Issue, address: Address) -> None:
        """Note that the issue was sent to this address."""
        with self._redis.pipeline() as pipe:
            pipe.sadd(keys.issue_served(issue.name), address)
            pipe.expire(keys.issue_served(issue.name), _KEPT)
            pipe.execute()

    def take_turn(self, *, milliseconds: int) -> float:
        """Take the one turn that all mailers have in so many milliseconds.

        Returns:
            Seconds to wait before asking again, or 0 where the turn was taken.
        """
        if self._redis.set(keys.NEWSLETTER_PACE, "taken", nx=True, px=milliseconds):
            return 0.0
        return max(self._redis.pttl(keys.NEWSLETTER_PACE), 1) / 1000
