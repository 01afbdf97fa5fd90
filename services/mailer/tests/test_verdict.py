"""When an email is tried again, and for how long."""

import time

from darkroom_contracts.mail import Address, EmailState, TextEmail
from darkroom_mailer.retry_policy import RetryPolicy
from darkroom_records.outbox import Claim

DAY = 86_400.0
VERDICT = RetryPolicy(first_wait=30, period=DAY)


def claim(attempt: int, age: float = 0.0, accepted: int = 0) -> Claim:
    content = TextEmail(subject="Hello", body="Good day.")
    return Claim("0" * 32, attempt, (Address("ada@example.org"),), content, time.time() - age, accepted, {}, None, None)


def test_each_wait_is_twice_the_last_one_up_to_an_hour_and_half_of_it_is_chance() -> None:
    for attempt, longest in ((1, 30), (2, 60), (3, 120), (8, 3600), (500, 3600)):
        waits = [VERDICT.try_later(claim(attempt), "Busy.").wait for _ in range(50)]
        assert all(longest / 2 <= wait <= longest for wait in waits)
        assert len(set(waits)) > 1


def test_a_mail_is_tried_again_for_a_day() -> None:
    assert VERDICT.try_later(claim(40, DAY - 3700), "Busy.").state is EmailState.QUEUED
    given_up = VERDICT.try_later(claim(40, DAY - 10), "Busy.")
    assert given_up.state is EmailState.FAILED
    assert given_up.reason == "Given up after 24 hours. Busy."


def test_a_mail_that_went_to_some_is_not_said_to_have_failed() -> None:
    assert VERDICT.try_later(claim(40, DAY, accepted=1), "Busy.").state is EmailState.PARTIAL
