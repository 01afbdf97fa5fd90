"""The mailer's Celery application: ``celery -A darkroom_mailer.app worker -Q mail``."""

from darkroom_runtime.celery_config import thread_consumer
from darkroom_runtime.processes import consumer_process
from darkroom_runtime.settings import load

from darkroom_mailer.newsletter import RUN as NEWSLETTER_RUN
from darkroom_mailer.settings import MailerSettings

settings = load(MailerSettings)
app = consumer_process(
    "mailer",
    settings,
    thread_consumer(
        settings, concurrency=settings.mailer_concurrency, time_limit=settings.max_sending_seconds + NEWSLETTER_RUN
    ),
    tasks=["darkroom_mailer.tasks"],
)
