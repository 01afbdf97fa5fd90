"""A mailer's parts, sending to a real mail server and keeping their records in a real Redis."""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
from celery import Celery
from darkroom_contracts.mail import Address, Email, TextEmail
from darkroom_mailer.assembly import make_delivery
from darkroom_mailer.delivery import Delivery
from darkroom_mailer.settings import MailerSettings
from darkroom_records.mail_limits import MailLimits
from darkroom_records.outbox import EmailSender, Outbox
from darkroom_records.subscribers import Subscribers
from darkroom_runtime.celery_config import make_celery, publisher
from darkroom_runtime.sending import try_send
from darkroom_runtime.workers import heartbeat_key
from redis import Redis
from support.emails import UNCOUNTED
from support.mail_server import MailServer

WORKERS = ("mail@a/1", "mail@b/1")

MakeDelivery = Callable[..., Delivery]


@pytest.fixture
def server() -> Iterator[MailServer]:
    """A mail server that takes every email."""
    with MailServer() as running:
        yield running


@pytest.fixture
def settings(server: MailServer, redis_url: str, tmp_path: Path) -> MailerSettings:
    """A mailer's settings, with hardly any wait between attempts."""
    return MailerSettings.model_validate(
        {
            "redis_url": redis_url,
            "storage_dir": tmp_path,
            "smtp_port": server.port,
            "smtp_timeout": 10,
            "mail_from": "darkroom@example.org",
            "mail_retry_wait": 0.01,
            "newsletter_rate": 100,
            "newsletter_bounce_limit": 2,
            "public_url": "https://darkroom.example.org",
            "time_zone": "Europe/Berlin",
        }
    )


@pytest.fixture(autouse=True)
def _mailers_alive(redis: Redis) -> None:
    for worker in WORKERS:
        redis.set(heartbeat_key(worker), "alive")


@pytest.fixture
def make(settings: MailerSettings, redis: Redis) -> MakeDelivery:
    """Makes the sending part of a mailer, under the name of a worker, with some settings of its own."""

    def make(worker: str = WORKERS[0], **changes: object) -> Delivery:
        return make_delivery(settings.model_copy(update=changes), redis, worker)

    return make


@pytest.fixture
def delivery(make: MakeDelivery) -> Delivery:
    """The sending part of a mailer."""
    return make()


@pytest.fixture
def outbox(redis: Redis) -> Outbox:
    """An outbox with nothing in it."""
    return Outbox(redis, MailLimits())


@pytest.fixture
def subscribers(redis: Redis) -> Subscribers:
    """No subscribers."""
    return Subscribers(redis)


@pytest.fixture
def submit(outbox: Outbox) -> Callable[..., str]:
    """Puts a plain email to some addresses into the outbox."""

    def submit(*to: str) -> str:
        recipients = tuple(Address(address) for address in to or ("ada@example.org",))
        email = Email(recipients, TextEmail(subject="Grüße", body="Good day.\n.\nBye."))
        return outbox.submit(email, request=UNCOUNTED)

    return submit


@pytest.fixture
def celery(settings: MailerSettings) -> Iterator[Celery]:
    """What sends tasks, as the API does."""
    with make_celery("test", publisher(settings)) as app:
        yield app


@pytest.fixture
def sender(outbox: Outbox, celery: Celery) -> EmailSender:
    """Sends emails by way of the outbox."""
    return EmailSender(outbox, partial(try_send, celery))
