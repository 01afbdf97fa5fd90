"""The newsletter reaches each subscriber at most once, whatever happens to its run."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from darkroom_contracts.mail import Address, EmailState
from darkroom_mailer.delivery import Delivery
from darkroom_mailer.newsletter import Newsletter
from darkroom_records.newsletter import NewsletterStore
from darkroom_records.newsletter_calendar import Issue
from darkroom_records.outbox import Outbox
from darkroom_records.subscribers import Subscribers
from redis import Redis
from support.mail_server import MailServer
from support.redis_keys import issue_record, make_email_due, open_emails, statistics

ISSUE = Issue("2026-W47")
NEXT = Issue("2026-W48")

MakeDelivery = Callable[..., Delivery]
Subscribe = Callable[..., list[Address]]
MakeNewsletter = Callable[..., Newsletter]


@pytest.fixture
def subscribe(subscribers: Subscribers) -> Subscribe:
    """Subscribes so many addresses."""

    def subscribe(number: int) -> list[Address]:
        addresses = [Address(f"reader{index:03}@example.org") for index in range(number)]
        for address in addresses:
            subscribers.request(address)
            assert subscribers.confirm(address)
        return addresses

    return subscribe


@pytest.fixture
def make_newsletter(redis: Redis, outbox: Outbox, subscribers: Subscribers, delivery: Delivery) -> MakeNewsletter:
    """Makes a newsletter, sending through the mail server or through something else."""

    def make(*, deliver: Callable[[str], bool] = delivery.deliver, rate: float = 1000) -> Newsletter:
        return Newsletter(NewsletterStore(redis), outbox, subscribers, deliver=deliver, rate=rate)

    return make


def run(newsletter: Newsletter, issue: Issue = ISSUE) -> None:
    newsletter.store.begin(issue)
    while newsletter.run(issue):
        pass


def test_each_subscriber_gets_one_letter(
    make_newsletter: MakeNewsletter, subscribe: Subscribe, server: MailServer
) -> None:
    addresses = subscribe(5)
    run(make_newsletter())
    assert server.taken_for() == dict.fromkeys(addresses, 1)


def test_a_list_longer_than_a_page_is_walked_to_its_end(make_newsletter: MakeNewsletter, subscribe: Subscribe) -> None:
    addresses = subscribe(250)
    sent: list[str] = []
    run(make_newsletter(deliver=lambda email_id: not sent.append(email_id)))  # type: ignore[func-returns-value]
    assert len(sent) == len(set(sent)) == len(addresses)


def test_an_issue_that_is_begun_again_reaches_only_who_does_not_have_it(
    make_newsletter: MakeNewsletter, subscribe: Subscribe, subscribers: Subscribers, server: MailServer
) -> None:
    addresses = subscribe(3)
    newsletter = make_newsletter()
    run(newsletter)
    late = Address("a-late-one@example.org")  # sorts before the place that the first run came to
    subscribers.request(late)
    subscribers.confirm(late)
    run(newsletter)
    run(newsletter)
    assert server.taken_for() == dict.fromkeys([*addresses, late], 1)


def test_the_next_issue_reaches_everyone_again(
    make_newsletter: MakeNewsletter, subscribe: Subscribe, server: MailServer
) -> None:
    addresses = subscribe(3)
    newsletter = make_newsletter()
    run(newsletter, ISSUE)
    run(newsletter, NEXT)
    assert server.taken_for() == dict.fromkeys(addresses, 2)


def test_an_interrupted_issue_is_gone_on_with(
    make_newsletter: MakeNewsletter, subscribe: Subscribe, delivery: Delivery, server: MailServer
) -> None:
    class MailerKilledError(Exception):
        pass

    def die_at_the_third(email_id: str) -> bool:
        if len(server.taken) == 2:
            raise MailerKilledError
        return delivery.deliver(email_id)

    addresses = subscribe(5)
    with pytest.raises(MailerKilledError):
        run(make_newsletter(deliver=die_at_the_third))
    newsletter = make_newsletter()
    assert newsletter.store.is_due(ISSUE)
    run(newsletter)
    assert not newsletter.store.is_due(ISSUE)
    taken = server.taken_for()
    assert set(taken.values()) == {1}
    missing = set(addresses) - set(taken)
    assert len(missing) == 1, "the email at hand waits in the outbox"


def test_the_letter_at_hand_of_an_interrupted_run_is_sent_from_the_outbox(
    make_newsletter: MakeNewsletter,
    subscribe: Subscribe,
    delivery: Delivery,
    outbox: Outbox,
    redis: Redis,
    server: MailServer,
) -> None:
    subscribe(1)
    run(make_newsletter(deliver=lambda _: True))
    assert server.taken == []
    (email_id,) = open_emails(redis)
    make_email_due(redis, email_id)
    for due in outbox.due(10):
        delivery.deliver(due)
    assert len(server.taken) == 1


def test_an_issue_that_two_mailers_send_at_once_reaches_each_subscriber_once(
    make_newsletter: MakeNewsletter, subscribe: Subscribe, redis: Redis, server: MailServer
) -> None:
    addresses = subscribe(12)

    def run_without_lock(newsletter: Newsletter) -> None:
        newsletter.store.begin(ISSUE)
        redis.delete(f"{issue_record(ISSUE.name)}:lock")  # as if the other run had outlived it
        newsletter.run(ISSUE)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(run_without_lock, [make_newsletter() for _ in range(4)]))
    run(make_newsletter())
    assert server.taken_for() == dict.fromkeys(addresses, 1)


def test_a_run_leaves_the_rest_to_the_next_one_after_its_time(
    make_newsletter: MakeNewsletter, subscribe: Subscribe, server: MailServer
) -> None:
    subscribe(2)
    newsletter = make_newsletter()
    newsletter.store.begin(ISSUE)
    assert newsletter.run(ISSUE, seconds=-1)
    assert server.taken == []


def test_a_run_that_reaches_no_mail_server_does_not_go_through_the_list(
    make_newsletter: MakeNewsletter, subscribe: Subscribe, redis: Redis, server: MailServer
) -> None:
    subscribe(5)
    server.stop()
    newsletter = make_newsletter()
    newsletter.store.begin(ISSUE)
    assert not newsletter.run(ISSUE)
    assert len(open_emails(redis)) == 1
    assert newsletter.store.is_due(ISSUE)


def test_letters_keep_the_rate(make_newsletter: MakeNewsletter, subscribe: Subscribe) -> None:
    subscribe(5)
    began = time.monotonic()
    run(make_newsletter(rate=20, deliver=lambda _: True))
    assert time.monotonic() - began >= 4 / 20


def test_a_new_house_has_missed_no_issue_and_an_old_one_catches_up_once(
    make_newsletter: MakeNewsletter, subscribe: Subscribe
) -> None:
    subscribe(1)
    newsletter = make_newsletter(deliver=lambda _: True)
    assert not newsletter.store.is_due(ISSUE)
    assert newsletter.store.is_due(NEXT)
    run(newsletter, NEXT)
    assert not newsletter.store.is_due(NEXT)


def test_a_letter_carries_the_figures_and_how_to_leave(
    make_newsletter: MakeNewsletter, subscribe: Subscribe, redis: Redis, server: MailServer
) -> None:
    redis.hset(statistics(ISSUE.reported_week), mapping={"groups": 12, "images": 1034, "failures": 1})
    subscribe(1)
    run(make_newsletter())
    message = server.taken[0].message
    url = str(message["List-Unsubscribe"]).strip("<>")
    assert url.startswith("https://darkroom.example.org/unsubscribe/")
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert message["Subject"] == "The week in the Darkroom, 2026-W47"
    for form in ("plain", "html"):
        body = message.get_body([form])
        assert body is not None
        words = body.get_content()
        assert url in words
        assert "1,034" in words
        assert "12" in words


def test_somebody_who_left_meanwhile_gets_no_letter(
    make_newsletter: MakeNewsletter,
    subscribe: Subscribe,
    subscribers: Subscribers,
    delivery: Delivery,
    outbox: Outbox,
    server: MailServer,
) -> None:
    (address,) = subscribe(1)
    email_ids: list[str] = []
    run(make_newsletter(deliver=lambda email_id: not email_ids.append(email_id)))  # type: ignore[func-returns-value]
    subscribers.remove(address)
    delivery.deliver(email_ids[0])
    assert outbox.read(email_ids[0]).state is EmailState.CANCELLED
    assert server.attempts == 0


def test_an_address_whose_server_refuses_it_for_good_is_removed_after_some_letters(
    make_newsletter: MakeNewsletter, subscribe: Subscribe, subscribers: Subscribers, server: MailServer
) -> None:
    gone, kept = subscribe(2)
    server.refused = {gone: ["550 No such user"]}
    newsletter = make_newsletter()
    run(newsletter, ISSUE)
    assert gone in subscribers
    run(newsletter, NEXT)
    assert gone not in subscribers
    assert kept in subscribers


def test_letters_that_arrive_or_are_refused_for_their_words_count_against_no_address(
    make_newsletter: MakeNewsletter, subscribe: Subscribe, subscribers: Subscribers, server: MailServer
) -> None:
    (address,) = subscribe(1)
    newsletter = make_newsletter()
    server.refused = {address: ["550 Full up", "250 OK", "250 OK", "550 Full up"]}
    server.answers = ["250 OK", "554 This looks like spam"]
    for week in range(40, 44):
        run(newsletter, Issue(f"2026-W{week}"))
    assert address in subscribers
