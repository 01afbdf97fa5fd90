"""Each email is sent once, and what became of it is known: against a real mail server that is not always kind."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from darkroom_contracts.ids import new_email_id
from darkroom_contracts.mail import Address, EmailState
from darkroom_mailer.delivery import Delivery
from darkroom_records.outbox import EmailRecord, Outbox, Refusal, UnknownEmailError
from darkroom_runtime import logs
from redis import Redis
from support.mail_server import HANG_UP, MailServer
from support.redis_keys import open_emails
from support.waiting import wait_for

Submit = Callable[..., str]
MakeDelivery = Callable[..., Delivery]


def deliver_until_ended(delivery: Delivery, outbox: Outbox, email_id: str) -> EmailRecord:
    def has_ended() -> bool:
        delivery.deliver(email_id)
        return outbox.read(email_id).state.is_final

    wait_for(has_ended, limit=20, what="the end of the email")
    return outbox.read(email_id)


def test_an_email_arrives_as_it_was_written(
    delivery: Delivery, outbox: Outbox, server: MailServer, submit: Submit
) -> None:
    email_id = submit("ada@example.org")
    assert outbox.read(email_id).state is EmailState.QUEUED
    delivery.deliver(email_id)
    (received,) = server.taken
    assert received.to == ["ada@example.org"]
    assert received.sender == "darkroom@example.org"
    assert received.message["From"] == "Darkroom <darkroom@example.org>"
    assert received.message["Subject"] == "Grüße"
    assert received.message["Message-ID"] == f"<{email_id}@example.org>"
    assert received.message.get_content().splitlines() == ["Good day.", ".", "Bye."]
    email = outbox.read(email_id)
    assert (email.state, email.accepted, email.attempts, email.reason) == (EmailState.SENT, 1, 1, None)
    assert email.ended_at is not None


def test_an_email_whose_message_comes_twice_is_sent_once(
    delivery: Delivery, server: MailServer, submit: Submit
) -> None:
    email_id = submit()
    delivery.deliver(email_id)
    delivery.deliver(email_id)
    assert len(server.taken) == 1


def test_an_email_that_many_mailers_have_at_the_same_moment_is_sent_once(
    make: MakeDelivery, server: MailServer, submit: Submit
) -> None:
    mailers = [make("mail@a/1"), make("mail@b/1")] * 4
    for _ in range(5):
        email_id = submit()
        with ThreadPoolExecutor(len(mailers)) as pool:
            list(pool.map(lambda mailer, email_id=email_id: mailer.deliver(email_id), mailers))
    assert len(server.taken) == 5


def test_an_email_that_the_server_puts_off_is_tried_again(
    delivery: Delivery, outbox: Outbox, server: MailServer, submit: Submit
) -> None:
    server.answers = ["451 Try again later", "452 Still not"]
    email_id = submit()
    delivery.deliver(email_id)
    waiting = outbox.read(email_id)
    assert waiting.state is EmailState.QUEUED
    assert waiting.reason == "ada@example.org: 451 Try again later"
    assert waiting.due_at > waiting.created_at
    email = deliver_until_ended(delivery, outbox, email_id)
    assert (email.state, email.attempts, email.reason) == (EmailState.SENT, 3, None)
    assert len(server.taken) == 1


def test_an_email_is_not_tried_again_before_its_time(
    make: MakeDelivery, outbox: Outbox, server: MailServer, submit: Submit
) -> None:
    server.answers = ["451 Try again later"]
    delivery = make(mail_retry_wait=60.0)
    email_id = submit()
    delivery.deliver(email_id)
    delivery.deliver(email_id)
    email = outbox.read(email_id)
    assert server.attempts == 1
    assert 29 <= email.due_at - email.created_at <= 70


def test_an_email_that_is_refused_for_good_is_not_tried_again(
    delivery: Delivery, outbox: Outbox, server: MailServer, submit: Submit
) -> None:
    server.answers = ["554 This looks like spam"]
    email_id = submit()
    delivery.deliver(email_id)
    email = outbox.read(email_id)
    assert email.state is EmailState.FAILED
    assert email.refused == {"ada@example.org": Refusal(554, "This looks like spam")}
    assert email.reason == "ada@example.org: 554 This looks like spam"
    delivery.deliver(email_id)
    assert server.attempts == 1


def test_a_recipient_who_is_refused_for_good_is_recorded(
    delivery: Delivery, outbox: Outbox, server: MailServer, submit: Submit
) -> None:
    server.refused = {"nobody@example.org": ["550 No such user"]}
    email_id = submit("nobody@example.org")
    delivery.deliver(email_id)
    email = outbox.read(email_id)
    assert (email.state, email.accepted) == (EmailState.FAILED, 0)
    assert email.refused == {"nobody@example.org": Refusal(550, "No such user")}


def test_an_email_that_one_of_two_recipients_refuses_goes_to_the_other_and_says_so(
    delivery: Delivery, outbox: Outbox, server: MailServer, submit: Submit
) -> None:
    server.refused = {"nobody@example.org": ["550 No such user"]}
    email_id = submit("ada@example.org", "nobody@example.org")
    delivery.deliver(email_id)
    assert [received.to for received in server.taken] == [["ada@example.org"]]
    email = outbox.read(email_id)
    assert (email.state, email.accepted) == (EmailState.PARTIAL, 1)
    assert email.reason == "nobody@example.org: 550 No such user"


def test_a_recipient_who_is_put_off_gets_the_mail_later_and_nobody_gets_it_twice(
    delivery: Delivery, outbox: Outbox, server: MailServer, submit: Submit
) -> None:
    server.refused = {"busy@example.org": ["450 Mailbox busy", "450 Mailbox busy", "250 OK"]}
    email_id = submit("ada@example.org", "busy@example.org")
    email = deliver_until_ended(delivery, outbox, email_id)
    assert (email.state, email.accepted, email.attempts) == (EmailState.SENT, 2, 3)
    assert server.taken_for() == {"ada@example.org": 1, "busy@example.org": 1}


@pytest.mark.parametrize("last", ["550 No such user", "250 OK"])
def test_a_server_that_hangs_up_among_the_recipients_is_asked_again(
    delivery: Delivery, outbox: Outbox, server: MailServer, submit: Submit, last: str
) -> None:
    server.refused = {"ada@example.org": ["421 Closing", last]}
    email_id = submit("ada@example.org", "bob@example.org")
    email = deliver_until_ended(delivery, outbox, email_id)
    assert email.accepted == (1 if last.startswith("5") else 2)
    assert server.taken_for()["bob@example.org"] == 1


def test_an_email_whose_connection_drops_is_tried_again(
    delivery: Delivery, outbox: Outbox, server: MailServer, submit: Submit
) -> None:
    server.answers = [HANG_UP]
    email_id = submit()
    assert not delivery.deliver(email_id)
    waiting = outbox.read(email_id)
    assert waiting.state is EmailState.QUEUED
    assert "did not answer as it should" in (waiting.reason or "")
    assert deliver_until_ended(delivery, outbox, email_id).state is EmailState.SENT
    assert len(server.taken) == 1


def test_an_email_waits_for_a_server_that_is_down(
    delivery: Delivery, outbox: Outbox, server: MailServer, submit: Submit
) -> None:
    server.stop()
    email_id = submit()
    assert not delivery.deliver(email_id)
    assert outbox.read(email_id).state is EmailState.QUEUED
    server.start()
    assert deliver_until_ended(delivery, outbox, email_id).state is EmailState.SENT


def test_a_server_that_does_not_answer_in_time_is_asked_again(
    make: MakeDelivery, outbox: Outbox, server: MailServer, submit: Submit
) -> None:
    server.may_answer.clear()
    email_id = submit()
    assert not make(smtp_timeout=0.3).deliver(email_id)
    assert outbox.read(email_id).state is EmailState.QUEUED
    assert "timed out" in (outbox.read(email_id).reason or "")


def test_an_email_is_given_up_after_its_time(
    make: MakeDelivery, outbox: Outbox, server: MailServer, submit: Submit
) -> None:
    server.refused = {"ada@example.org": ["451 Try again later"]}
    email_id = submit()
    email = deliver_until_ended(make(mail_retry_period=1), outbox, email_id)
    assert email.state is EmailState.FAILED
    assert email.reason is not None
    assert email.reason.startswith("Given up after")
    assert email.reason.endswith("451 Try again later")


def test_an_ended_mail_is_not_looked_at_again(delivery: Delivery, redis: Redis, submit: Submit) -> None:
    delivery.deliver(submit())
    assert open_emails(redis) == []


def test_the_mail_carries_the_request_that_asked_for_it(outbox: Outbox, submit: Submit) -> None:
    with logs.bind_request_id("request-1"):
        email_id = submit()
    claim = outbox.claim(email_id, worker="mail@a/1", max_duration=60)
    assert claim is not None
    assert claim.request_id == "request-1"


def test_an_email_nobody_asked_for_is_unknown(delivery: Delivery, outbox: Outbox, server: MailServer) -> None:
    for email_id in (new_email_id(), "no such id", "*"):
        with pytest.raises(UnknownEmailError):
            outbox.read(email_id)
    delivery.deliver(new_email_id())
    assert server.taken == []


def test_an_address_is_read_back_as_one(outbox: Outbox, submit: Submit) -> None:
    claim = outbox.claim(submit("Ada@example.org"), worker="mail@a/1", max_duration=60)
    assert claim is not None
    assert claim.to == (Address("Ada@example.org"),)
