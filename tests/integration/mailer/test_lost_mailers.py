"""What becomes of an email whose mailer dies, or is thought dead, at each point of sending it."""

import threading
from collections.abc import Callable

import pytest
from darkroom_contracts.mail import EmailState
from darkroom_mailer.delivery import Delivery
from darkroom_records.outbox import Claim, Outbox, Result
from darkroom_records.outbox.store import IN_DOUBT
from darkroom_runtime.workers import heartbeat_key
from redis import Redis
from support.mail_server import MailServer
from support.redis_keys import email_record, make_email_due, open_emails
from support.waiting import wait_for

Submit = Callable[..., str]
MakeDelivery = Callable[..., Delivery]

DEAD = "mail@dead/1"
SENT = Result(EmailState.SENT, (), 1, {})


def claim(outbox: Outbox, email_id: str, worker: str, max_duration: float = 3600) -> Claim:
    claimed = outbox.claim(email_id, worker=worker, max_duration=max_duration)
    assert claimed is not None
    return claimed


def test_an_email_whose_message_was_lost_is_found_once_in_a_while(outbox: Outbox, redis: Redis, submit: Submit) -> None:
    email_id = submit()
    assert outbox.due(10) == [], "its message is given time"
    make_email_due(redis, email_id)
    assert outbox.due(10) == [email_id]
    assert outbox.due(10) == [], "a message was just sent for it"


def test_an_email_that_a_dead_mailer_was_preparing_is_sent_by_another(
    delivery: Delivery, outbox: Outbox, redis: Redis, server: MailServer, submit: Submit
) -> None:
    email_id = submit()
    claim(outbox, email_id, DEAD)
    make_email_due(redis, email_id)
    assert outbox.due(10) == [email_id]
    delivery.deliver(email_id)
    assert outbox.read(email_id).state is EmailState.SENT
    assert len(server.taken) == 1


def test_an_email_that_a_living_mailer_prepares_is_left_to_it(
    delivery: Delivery, outbox: Outbox, server: MailServer, submit: Submit
) -> None:
    email_id = submit()
    claim(outbox, email_id, "mail@b/1")
    delivery.deliver(email_id)
    assert server.attempts == 0


def test_an_email_that_a_living_mailer_lost_unnoticed_is_sent_by_another(outbox: Outbox, submit: Submit) -> None:
    email_id = submit()
    claim(outbox, email_id, "mail@b/1")
    assert outbox.claim(email_id, worker="mail@a/1", max_duration=60) is None
    assert outbox.claim(email_id, worker="mail@a/1", max_duration=0) is not None


def test_an_email_that_a_dead_mailer_handed_over_is_not_sent_again_and_says_so(
    delivery: Delivery, outbox: Outbox, redis: Redis, server: MailServer, submit: Submit
) -> None:
    email_id = submit()
    assert outbox.hand_over(claim(outbox, email_id, DEAD))
    delivery.deliver(email_id)
    email = outbox.read(email_id)
    assert (email.state, email.reason) == (EmailState.FAILED, IN_DOUBT)
    assert server.attempts == 0
    assert open_emails(redis) == []


def test_a_mailer_thought_dead_while_it_handed_over_has_the_last_word(
    delivery: Delivery, outbox: Outbox, submit: Submit
) -> None:
    email_id = submit()
    slow = claim(outbox, email_id, DEAD)
    outbox.hand_over(slow)
    delivery.deliver(email_id)
    assert outbox.read(email_id).state is EmailState.FAILED
    assert outbox.settle(slow, SENT)
    email = outbox.read(email_id)
    assert (email.state, email.reason) == (EmailState.SENT, None)


def test_a_mailer_thought_dead_before_it_handed_over_must_not_do_so(
    delivery: Delivery, outbox: Outbox, server: MailServer, submit: Submit
) -> None:
    email_id = submit()
    slow = claim(outbox, email_id, DEAD)
    delivery.deliver(email_id)
    assert not outbox.hand_over(slow)
    assert not outbox.settle(slow, Result(EmailState.FAILED, slow.to, 0, {}))
    assert outbox.read(email_id).state is EmailState.SENT
    assert len(server.taken) == 1


def test_a_mailer_that_loses_its_claim_breaks_off_before_the_text(
    make: MakeDelivery,
    outbox: Outbox,
    redis: Redis,
    server: MailServer,
    submit: Submit,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    email_id = submit()
    slow, fast = make("mail@a/1"), make("mail@b/1")
    hand_over = Outbox.hand_over
    overtaken = threading.Event()

    def overtake_first(self: Outbox, claimed: Claim) -> bool:
        if not overtaken.is_set():
            overtaken.set()
            redis.delete(heartbeat_key("mail@a/1"))  # the slow one counts as dead by now
            fast.deliver(email_id)
        return hand_over(self, claimed)

    monkeypatch.setattr(Outbox, "hand_over", overtake_first)
    slow.deliver(email_id)
    assert outbox.read(email_id).state is EmailState.SENT
    assert len(server.taken) == 1


def test_an_email_that_stops_its_mailer_each_time_is_given_up(
    delivery: Delivery, outbox: Outbox, redis: Redis, server: MailServer, submit: Submit
) -> None:
    email_id = submit()
    claim(outbox, email_id, DEAD)
    redis.hset(email_record(email_id), "created_at", "1")  # long ago
    delivery.deliver(email_id)
    email = outbox.read(email_id)
    assert email.state is EmailState.FAILED
    assert "never came to an end" in (email.reason or "")
    assert server.attempts == 0


def test_an_email_is_sent_once_although_its_message_comes_again_while_the_server_thinks(
    make: MakeDelivery, outbox: Outbox, server: MailServer, submit: Submit
) -> None:
    server.may_answer.clear()
    email_id = submit()
    sending = threading.Thread(target=make("mail@a/1").deliver, args=(email_id,))
    sending.start()
    wait_for(server.text_arrived.is_set, limit=10, what="the text at the server")
    make("mail@b/1").deliver(email_id)
    server.may_answer.set()
    sending.join(timeout=10)
    assert outbox.read(email_id).state is EmailState.SENT
    assert len(server.taken) == 1
