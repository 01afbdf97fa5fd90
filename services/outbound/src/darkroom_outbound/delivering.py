"""Delivering a webhook: one signed POST, and what its answer means for the next."""

import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from darkroom_contracts.problems import ProblemCode

from darkroom_outbound.client import Client
from darkroom_outbound.errors import FetchError, TemporaryError, UrlRefusedError
from darkroom_outbound.fetching import retry_after
from darkroom_outbound.signing import sign
from darkroom_outbound.urls import parse
from darkroom_outbound.watch import Watch

SCHEDULE = (5.0, 300.0, 1800.0, 7200.0, 18_000.0, 36_000.0, 50_400.0, 72_000.0, 86_400.0)
"""Seconds from each attempt to the next, as the Standard Webhooks specification suggests; the last is given up."""

_LONGEST_WAIT = 86_400.0
_GONE = 410


class Outcome(StrEnum):
    """What became of an attempt."""

    DELIVERED = "delivered"
    RETRY = "retry"
    GONE = "gone"
    """The receiver wants no more webhooks at this URL."""
    FAILED = "failed"
    """It was the last attempt, or no other can do better."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """What is delivered.

    Attributes:
        delivery_id: the same at each attempt, by which a receiver knows what it has had already.
        url: where to.
        body: a JSON document.
        attempt: which one this is, counted from 1.
    """

    delivery_id: str
    url: str
    body: bytes
    attempt: int


@dataclass(frozen=True, slots=True)
class Result:
    """What became of an attempt.

    Attributes:
        outcome: what to do next.
        status: of the answer, where there was one.
        error: a sentence that says why it was not delivered.
        code: the same for programs.
        wait: seconds until the next attempt, where there is one.
    """

    outcome: Outcome
    status: int | None = None
    error: str | None = None
    code: ProblemCode | None = None
    wait: float = 0.0


def deliver(delivery: Delivery, *, client: Client, keys: Sequence[bytes], seconds: float) -> Result:
    """Make one attempt to deliver a webhook.

    Only an answer of 2xx counts, and no redirect is followed: it would take what is signed to somebody else.

    Args:
        delivery: what to deliver.
        client: sends it.
        keys: sign it, each.
        seconds: for all of it.

    Raises:
        HostBusyError: the host has enough requests to answer. This was no attempt.
    """
    headers = {"Content-Type": "application/json"}
    headers |= sign(keys, delivery.delivery_id, int(time.time()), delivery.body)
    try:
        with Watch(seconds) as watch:
            target = parse(delivery.url)
            with client.send("POST", target, watch, headers=headers, body=delivery.body) as answer:
                status, wait = answer.status, retry_after(answer)
    except UrlRefusedError as error:
        return Result(Outcome.FAILED, error=str(error), code=error.code)
    except FetchError as error:
        return _later(delivery, Result(Outcome.RETRY, error=str(error), code=error.code), _asked_wait(error))
    if 200 <= status < 300:
        return Result(Outcome.DELIVERED, status)
    if status == _GONE:
        return Result(Outcome.GONE, status, "The URL's server answered 410: it wants no more webhooks.")
    answered = f"The URL's server answered {status}."
    return _later(delivery, Result(Outcome.RETRY, status, answered, ProblemCode.FETCH_FAILED), wait)


def _later(delivery: Delivery, result: Result, asked: float | None) -> Result:
    if delivery.attempt > len(SCHEDULE):
        return Result(Outcome.FAILED, result.status, result.error, result.code)
    wait = max(SCHEDULE[delivery.attempt - 1], min(asked or 0.0, _LONGEST_WAIT))
    wait *= 1 + secrets.SystemRandom().random() / 10  # so that what failed together does not come back together
    return Result(Outcome.RETRY, result.status, result.error, result.code, wait)


def _asked_wait(error: FetchError) -> float | None:
    return error.retry_after if isinstance(error, TemporaryError) else None
