"""What tasks work with. Opened once by each mailer and shared by its threads."""

from datetime import datetime
from zoneinfo import ZoneInfo

from darkroom_records.groups import GroupStore
from darkroom_records.mail_limits import MailLimits
from darkroom_records.newsletter import NewsletterStore
from darkroom_records.newsletter_calendar import Issue, latest_issue
from darkroom_records.outbox import Outbox
from darkroom_records.subscribers import Subscribers
from darkroom_runtime.heartbeat import worker_name
from darkroom_runtime.once import once
from darkroom_runtime.redis_client import connect
from redis import Redis

from darkroom_mailer.app import settings
from darkroom_mailer.assembly import make_delivery
from darkroom_mailer.delivery import Delivery
from darkroom_mailer.newsletter import Newsletter


@once
def redis() -> Redis:
    """Redis, waited for longer than in the API: what became of an email must be written down."""
    return connect(settings, patience=5.0, retries=8)


@once
def outbox() -> Outbox:
    """The records of emails."""
    return Outbox(redis(), MailLimits(settings))


@once
def delivery() -> Delivery:
    """What sends an email, under the name of this mailer."""
    return make_delivery(settings, redis(), worker_name())


@once
def groups() -> GroupStore:
    """The records of groups."""
    return GroupStore(redis())


@once
def issues() -> NewsletterStore:
    """How far each issue of the newsletter has come."""
    return NewsletterStore(redis())


@once
def newsletter() -> Newsletter:
    """What sends the newsletter."""
    return Newsletter(
        issues(),
        outbox(),
        Subscribers(redis()),
        deliver=delivery().deliver,
        rate=settings.newsletter_rate,
    )


def issue_now() -> Issue:
    """The newest issue of the newsletter, as of now."""
    return latest_issue(datetime.now(ZoneInfo(settings.time_zone)))
