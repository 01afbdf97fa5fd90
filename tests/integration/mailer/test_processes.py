"""Mailers as they run: Celery processes that take tasks by their names from the queue."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from celery import Celery
from darkroom_contracts.ids import new_group_id
from darkroom_contracts.mail import Address, EmailState
from darkroom_contracts.messages import SendDueEmails, SendEmail, SendNewsletter, SendResults
from darkroom_contracts.problems import ProblemCode
from darkroom_contracts.queues import Queue
from darkroom_mailer.settings import MailerSettings
from darkroom_records.groups import Ending, GroupStore, NewImage, Terms
from darkroom_records.outbox import EmailSender, Outbox
from darkroom_records.subscribers import Subscribers
from darkroom_runtime.sending import send
from darkroom_runtime.workers import heartbeat_key
from redis import Redis
from support.emails import UNCOUNTED
from support.mail_server import MailServer
from support.redis_keys import groups_to_notify, is_latest_issue_sent, make_email_due, make_notification_overdue
from support.waiting import wait_for

ADA = Address("ada@example.org")
LIMIT = 30
THREADS = 4

Mailer = subprocess.Popen[bytes]
StartMailer = Callable[[str], Mailer]


@pytest.fixture
def start_mailer(settings: MailerSettings, redis: Redis, tmp_path: Path) -> Iterator[StartMailer]:
    """Starts a mailer of some name, ready to take tasks. It is stopped at the end of the test."""
    environment = os.environ | {
        "DARKROOM_REDIS_URL": str(settings.redis_url),
        "DARKROOM_STORAGE_DIR": str(tmp_path),
        "DARKROOM_SMTP_PORT": str(settings.smtp_port),
        "DARKROOM_MAILER_CONCURRENCY": str(THREADS),
    }
    with ExitStack() as running:

        def start(name: str) -> Mailer:
            mailer = running.enter_context(_mailer(name, environment, tmp_path / f"{name}.log"))
            pattern = f"{heartbeat_key(f'mail@{name}')}/*"
            wait_for(lambda: redis.keys(pattern), limit=LIMIT, what=f"the mailer {name}")
            return mailer

        yield start


@contextmanager
def _mailer(name: str, environment: dict[str, str], log: Path) -> Iterator[Mailer]:
    command = [
        sys.executable,
        "-m",
        "celery",
        "-A",
        "darkroom_mailer.app",
        "worker",
        "-Q",
        "mail",
        "-n",
        f"mail@{name}",
    ]
    with log.open("wb") as out, subprocess.Popen(command, env=environment, stdout=out, stderr=out) as mailer:
        yield mailer
        mailer.kill()


def states(outbox: Outbox, emails: list[str]) -> set[EmailState]:
    return {outbox.read(email_id).state for email_id in emails}


def test_two_mailers_send_each_mail_once_although_each_message_comes_three_times(
    start_mailer: StartMailer, sender: EmailSender, celery: Celery, outbox: Outbox, server: MailServer
) -> None:
    recipients = [Address(f"reader{number}@example.org") for number in range(30)]
    emails = [sender.send_text(recipient, "Hello", "Good day.", UNCOUNTED) for recipient in recipients]
    for _ in range(2):
        for email_id in emails:
            send(celery, SendEmail(email_id))
    start_mailer("one")
    start_mailer("two")
    wait_for(lambda: states(outbox, emails) == {EmailState.SENT}, limit=LIMIT, what="all emails")
    assert server.taken_for() == dict.fromkeys(recipients, 1)


def test_a_mailer_takes_no_more_messages_than_it_can_send_at_once(
    start_mailer: StartMailer, sender: EmailSender, outbox: Outbox, redis: Redis, server: MailServer
) -> None:
    server.may_answer.clear()
    emails = [
        sender.send_text(Address(f"reader{number}@example.org"), "Hello", "Good day.", UNCOUNTED)
        for number in range(THREADS + 2)
    ]
    start_mailer("one")

    def all_threads_are_busy() -> bool:
        return [outbox.read(email_id).state for email_id in emails].count(EmailState.SENDING) == THREADS

    wait_for(all_threads_are_busy, limit=LIMIT, what="busy threads")
    assert redis.llen(Queue.MAIL) == 2, "another mailer could send these"
    server.may_answer.set()
    wait_for(lambda: states(outbox, emails) == {EmailState.SENT}, limit=LIMIT, what="all emails")


def test_a_mailer_that_is_stopped_finishes_the_mail_at_hand(
    start_mailer: StartMailer, sender: EmailSender, outbox: Outbox, server: MailServer
) -> None:
    server.may_answer.clear()
    mailer = start_mailer("one")
    email_id = sender.send_text(ADA, "Hello", "Good day.", UNCOUNTED)
    wait_for(server.text_arrived.is_set, limit=LIMIT, what="the text at the server")
    mailer.send_signal(signal.SIGTERM)
    server.may_answer.set()
    assert mailer.wait(timeout=LIMIT) == 0
    assert outbox.read(email_id).state is EmailState.SENT


def test_a_mailer_killed_while_the_server_has_the_text_does_not_make_it_two_emails(
    start_mailer: StartMailer, sender: EmailSender, celery: Celery, outbox: Outbox, redis: Redis, server: MailServer
) -> None:
    server.may_answer.clear()
    mailer = start_mailer("one")
    email_id = sender.send_text(ADA, "Hello", "Good day.", UNCOUNTED)
    wait_for(server.text_arrived.is_set, limit=LIMIT, what="the text at the server")
    mailer.kill()
    mailer.wait()
    redis.delete(*redis.keys(heartbeat_key("mail@one*")))  # as if it had expired
    server.may_answer.set()
    start_mailer("two")
    make_email_due(redis, email_id)
    send(celery, SendDueEmails())
    wait_for(lambda: outbox.read(email_id).state is EmailState.FAILED, limit=LIMIT, what="the record to say so")
    assert server.attempts == 1


def test_what_is_due_and_has_no_message_is_found(
    start_mailer: StartMailer,
    celery: Celery,
    outbox: Outbox,
    groups: GroupStore,
    redis: Redis,
    server: MailServer,
    submit: Callable[..., str],
) -> None:
    email_id = submit(ADA)
    make_email_due(redis, email_id)
    groups.create(
        new_group_id(),
        [NewImage("x", error="It is no image.")],
        (),
        Terms(email=Address("bob@example.org"), notify=True),
    )
    (group_id,) = groups_to_notify(redis)
    make_notification_overdue(redis, group_id)
    start_mailer("one")
    send(celery, SendDueEmails())
    wait_for(lambda: len(server.taken) == 2, limit=LIMIT, what="both emails")
    assert server.taken_for() == {"ada@example.org": 1, "bob@example.org": 1}
    wait_for(lambda: outbox.read(email_id).state is EmailState.SENT, limit=LIMIT, what="the record to say so")


def test_a_message_of_an_older_version_that_nobody_knows_any_more_costs_its_email_only_time(
    start_mailer: StartMailer, celery: Celery, redis: Redis, server: MailServer, submit: Callable[..., str]
) -> None:
    email_id = submit(ADA)
    celery.send_task("mail.confirm_subscription", (email_id,), queue=Queue.MAIL)
    start_mailer("one")
    wait_for(lambda: not redis.llen(Queue.MAIL), limit=LIMIT, what="the message to be taken")
    make_email_due(redis, email_id)  # as half a minute later
    send(celery, SendDueEmails())
    wait_for(lambda: server.taken, limit=LIMIT, what="the email")
    assert server.taken_for() == {ADA: 1}


def test_the_end_of_a_group_is_mailed_at_once(
    start_mailer: StartMailer, celery: Celery, groups: GroupStore, server: MailServer
) -> None:
    group_id = new_group_id()
    start_mailer("one")
    groups.create(group_id, [NewImage("one.png")], [{"op": "blur"}], Terms(email=ADA, notify=True))
    work = groups.begin(group_id, 0, worker="images@a/1", delivery=0)
    assert work is not None
    if groups.fail(work, "It is damaged.", ProblemCode.DAMAGED_IMAGE).effects is Ending.GROUP_ENDED_NOTIFY:
        send(celery, SendResults(group_id))
        send(celery, SendResults(group_id))
    wait_for(lambda: server.taken, limit=LIMIT, what="the email")
    assert server.taken[0].message["Subject"] == "Your image failed"
    assert len(server.taken) == 1


def test_a_subscriber_is_asked_and_gets_the_newsletter_once_although_it_is_started_twice(
    start_mailer: StartMailer,
    sender: EmailSender,
    celery: Celery,
    subscribers: Subscribers,
    redis: Redis,
    server: MailServer,
) -> None:
    start_mailer("one")
    start_mailer("two")
    subscribers.request(ADA)
    sender.send_confirmation(ADA, UNCOUNTED)
    wait_for(lambda: server.taken, limit=LIMIT, what="the question")
    subscribers.confirm(ADA)
    for _ in range(3):
        send(celery, SendNewsletter())

    wait_for(
        lambda: is_latest_issue_sent(redis) and not redis.llen(Queue.MAIL), limit=LIMIT, what="the end of the issue"
    )
    assert [email.message["Subject"].startswith("The week") for email in server.taken] == [False, True]
