"""How the parts that send an email are put together."""

from zoneinfo import ZoneInfo

from darkroom_records.groups import GroupStore
from darkroom_records.links import Links
from darkroom_records.mail_limits import MailLimits
from darkroom_records.outbox import Outbox
from darkroom_records.statistics import StatisticsStore
from darkroom_records.storage import make_storage
from darkroom_records.subscribers import Subscribers
from redis import Redis

from darkroom_mailer.composition import Composer
from darkroom_mailer.delivery import Delivery
from darkroom_mailer.results import ResultsEmails
from darkroom_mailer.settings import MailerSettings


def make_delivery(settings: MailerSettings, redis: Redis, worker: str) -> Delivery:
    """What sends emails.

    Args:
        settings: of the mailer.
        redis: where all records are.
        worker: the name under which this mailer keeps its heartbeat.
    """
    subscribers = Subscribers(redis)
    links = Links(settings, redis)
    results = ResultsEmails(
        groups=GroupStore(redis),
        storage=make_storage(settings),
        links=links,
        attach_limit=settings.mail_attach_limit,
        keep_results=settings.keep_results,
        timezone=ZoneInfo(settings.time_zone),
    )
    composer = Composer(settings, StatisticsStore(redis), results, subscribers, links)
    return Delivery(settings, Outbox(redis, MailLimits(settings)), composer, subscribers, worker)
