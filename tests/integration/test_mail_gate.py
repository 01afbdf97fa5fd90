"""The gate in the outbox that every email passes."""

from typing import cast

import pytest
from darkroom_contracts.mail import Address, Email, TextEmail
from darkroom_records.mail_limits import MailLimitError, MailLimits, MailLimitSettings, MailRequest, Scope
from darkroom_records.outbox import Occasion, Outbox
from redis import Redis
from support.redis_keys import lasting_keys

ADA, BOB = Address("ada@example.org"), Address("bob@example.org")


def outbox_of(redis: Redis, **limits: str) -> Outbox:
    return Outbox(redis, MailLimits(MailLimitSettings.model_validate(limits)))


def email(*to: Address) -> Email:
    return Email(to, TextEmail(subject="Hello", body="Good day."))


def test_an_address_gets_so_many_emails_and_no_more(redis: Redis) -> None:
    outbox = outbox_of(redis, mail_limit_per_address="2/hour")
    for number in range(2):
        outbox.submit(email(ADA), request=MailRequest(f"request {number}"))
    with pytest.raises(MailLimitError) as refused:
        outbox.submit(email(ADA), request=MailRequest("request 3"))
    assert refused.value.scope is Scope.ADDRESS
    assert 3590 <= refused.value.wait <= 3600
    outbox.submit(email(BOB), request=MailRequest("request 4"))


def test_an_email_to_several_is_refused_where_one_of_them_got_too_many_and_counts_for_nobody(redis: Redis) -> None:
    outbox = outbox_of(redis, mail_limit_per_address="1/hour")
    outbox.submit(email(ADA), request=MailRequest("one"))
    with pytest.raises(MailLimitError):
        outbox.submit(email(BOB, ADA), request=MailRequest("two"))
    outbox.submit(email(BOB), request=MailRequest("three"))


def test_what_is_reserved_is_counted_once(redis: Redis) -> None:
    outbox = outbox_of(redis, mail_limit_per_address="1/hour")
    outbox.reserve((ADA,), MailRequest("group", client="192.0.2.1"))
    outbox.reserve((ADA,), MailRequest("group", client="192.0.2.1"))
    with pytest.raises(MailLimitError):
        outbox.submit(email(ADA), request=MailRequest("another"))
    outbox.submit(email(ADA), request=MailRequest("group"))


def test_the_same_email_submitted_twice_counts_once(redis: Redis) -> None:
    outbox = outbox_of(redis, mail_limit_per_address="2/hour")
    for _ in range(3):
        outbox.submit(email(ADA), request=MailRequest("one"), email_id="0" * 32)
    outbox.submit(email(ADA), request=MailRequest("two"))


def test_a_second_email_of_an_occasion_is_not_sent_and_not_counted(redis: Redis) -> None:
    outbox = outbox_of(redis, mail_limit_per_address="2/hour")
    occasion = Occasion("results", 600)
    first = outbox.submit(email(ADA), request=MailRequest("one"), occasion=occasion)
    assert outbox.submit(email(ADA), request=MailRequest("two"), occasion=occasion) == first
    outbox.submit(email(ADA), request=MailRequest("three"))


def test_every_window_of_a_rate_holds_and_the_refusal_says_until_when(redis: Redis) -> None:
    outbox = outbox_of(redis, mail_limit_per_client="5/minute;6/day", mail_limit_per_address="99/hour")
    for number in range(5):
        outbox.submit(email(ADA), request=MailRequest(f"request {number}", client="192.0.2.1"))
    with pytest.raises(MailLimitError) as soon:
        outbox.submit(email(ADA), request=MailRequest("too soon", client="192.0.2.1"))
    assert soon.value.wait <= 60
    (counter,) = cast("list[str]", redis.keys("darkroom:mails:limits:client:*"))
    for name in cast("list[str]", redis.zrange(counter, 0, -1)):
        redis.zincrby(counter, -60, name)  # a minute passes
    outbox.submit(email(ADA), request=MailRequest("later", client="192.0.2.1"))
    with pytest.raises(MailLimitError) as tomorrow:
        outbox.submit(email(ADA), request=MailRequest("too many", client="192.0.2.1"))
    assert 86_000 <= tomorrow.value.wait <= 86_400


def test_what_was_refused_leaves_no_email_and_no_count(redis: Redis) -> None:
    outbox = outbox_of(redis, mail_limit_per_client="1/hour")
    outbox.submit(email(ADA), request=MailRequest("one", client="192.0.2.1"))
    before = lasting_keys(redis)
    with pytest.raises(MailLimitError):
        outbox.submit(email(BOB), request=MailRequest("two", client="192.0.2.1"), occasion=Occasion("x", 60))
    assert lasting_keys(redis) == before
