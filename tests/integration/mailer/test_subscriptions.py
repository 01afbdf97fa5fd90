"""Subscribing takes a link that was mailed to the address; leaving takes nothing."""

import re
from functools import partial

import pytest
from darkroom_contracts.mail import Address, EmailState
from darkroom_contracts.queues import Queue
from darkroom_mailer.delivery import Delivery
from darkroom_mailer.settings import MailerSettings
from darkroom_records.links import BrokenLinkError, Links
from darkroom_records.outbox import EmailSender, Outbox
from darkroom_records.subscribers import Subscribers
from darkroom_runtime.celery_config import make_celery, publisher
from darkroom_runtime.sending import try_send
from pydantic import SecretStr
from redis import Redis
from support.emails import UNCOUNTED
from support.mail_server import MailServer
from support.redis_keys import pending_subscriber

ADA = Address("ada@example.org")


@pytest.fixture
def links(settings: MailerSettings, redis: Redis) -> Links:
    return Links(settings, redis)


def test_an_address_is_subscribed_by_the_link_that_was_mailed_to_it(
    subscribers: Subscribers, sender: EmailSender, delivery: Delivery, links: Links, server: MailServer
) -> None:
    subscribers.request(ADA)
    delivery.deliver(sender.send_confirmation(ADA, UNCOUNTED))
    body = server.taken[0].message.get_body(["plain"])
    assert body is not None
    found = re.search(r"https://darkroom\.example\.org/confirm/(\S+)", body.get_content())
    assert found is not None
    assert ADA not in subscribers
    assert subscribers.confirm(links.confirming(found[1]))
    assert ADA in subscribers


def test_confirming_twice_is_the_same_as_once(subscribers: Subscribers) -> None:
    subscribers.request(ADA)
    assert subscribers.confirm(ADA)
    assert subscribers.confirm(ADA)


def test_a_link_does_not_bring_back_somebody_who_left(subscribers: Subscribers) -> None:
    subscribers.request(ADA)
    subscribers.confirm(ADA)
    subscribers.remove(ADA)
    assert not subscribers.confirm(ADA)
    assert ADA not in subscribers


def test_a_subscription_that_is_not_confirmed_is_forgotten(subscribers: Subscribers, redis: Redis) -> None:
    subscribers.request(ADA)
    assert 0 < redis.ttl(pending_subscriber(ADA)) <= 48 * 3600
    redis.delete(pending_subscriber(ADA))
    assert not subscribers.confirm(ADA)


def test_a_subscriber_who_asks_again_gets_no_email_and_the_same_answer(
    subscribers: Subscribers, sender: EmailSender, delivery: Delivery, outbox: Outbox, server: MailServer
) -> None:
    subscribers.request(ADA)
    subscribers.confirm(ADA)
    subscribers.request(ADA)
    email_id = sender.send_confirmation(ADA, UNCOUNTED)
    delivery.deliver(email_id)
    assert outbox.read(email_id).state is EmailState.CANCELLED
    assert server.attempts == 0


def test_asking_again_and_again_does_not_flood_an_address(
    subscribers: Subscribers, sender: EmailSender, delivery: Delivery, server: MailServer
) -> None:
    for _ in range(3):
        subscribers.request(ADA)
        delivery.deliver(sender.send_confirmation(ADA, UNCOUNTED))
    assert len(server.taken) == 1


def test_somebody_who_left_can_come_back_at_once(
    subscribers: Subscribers, sender: EmailSender, delivery: Delivery, server: MailServer
) -> None:
    for _ in range(2):
        subscribers.request(ADA)
        delivery.deliver(sender.send_confirmation(ADA, UNCOUNTED))
        delivery.deliver(sender.send_confirmation(ADA, UNCOUNTED))
        subscribers.confirm(ADA)
        delivery.deliver(sender.send_confirmation(ADA, UNCOUNTED))
        subscribers.remove(ADA)
    assert len(server.taken) == 2


@pytest.mark.parametrize("change", [lambda token: token[:-1], lambda token: "x" + token, lambda _: "", lambda _: "é"])
def test_a_link_that_was_changed_is_refused_with_a_sentence(links: Links, change: object) -> None:
    assert callable(change)
    token = links.confirmation(ADA).rpartition("/")[2]
    with pytest.raises(BrokenLinkError, match=r"This link has expired\."):
        links.confirming(change(token))
    with pytest.raises(BrokenLinkError, match=r"This link is incomplete\."):
        links.unsubscribing(change(token))


def test_a_link_serves_only_what_it_was_made_for(links: Links) -> None:
    token = links.unsubscription(ADA).rpartition("/")[2]
    assert links.unsubscribing(token) == ADA
    with pytest.raises(BrokenLinkError):
        links.confirming(token)


def test_links_hold_for_every_process_without_any_setting(settings: MailerSettings, redis: Redis, links: Links) -> None:
    token = links.confirmation(ADA).rpartition("/")[2]
    assert Links(settings, redis).confirming(token) == ADA
    other = settings.model_copy(update={"secret_key": SecretStr("another key")})
    with pytest.raises(BrokenLinkError):
        Links(other, redis).confirming(token)


def test_an_email_is_taken_in_although_its_message_cannot_be_sent(
    settings: MailerSettings, outbox: Outbox, redis: Redis
) -> None:
    nowhere = make_celery("test", publisher(settings) | {"broker_url": "redis://127.0.0.1:1/0"})
    email_id = EmailSender(outbox, partial(try_send, nowhere)).send_text(ADA, "Hello", "Good day.", UNCOUNTED)
    assert outbox.read(email_id).state is EmailState.QUEUED
    assert redis.llen(Queue.MAIL) == 0


def test_an_email_that_is_asked_for_leaves_a_message_in_the_queue(sender: EmailSender, redis: Redis) -> None:
    sender.send_text(ADA, "Hello", "Good day.", UNCOUNTED)
    assert redis.llen(Queue.MAIL) == 1
