"""The outbound service's Celery application: ``celery -A darkroom_outbound.app worker -Q outbound``."""

from darkroom_runtime.celery_config import thread_consumer
from darkroom_runtime.processes import consumer_process
from darkroom_runtime.settings import load

from darkroom_outbound.settings import OutboundSettings

settings = load(OutboundSettings)
app = consumer_process(
    "outbound",
    settings,
    thread_consumer(
        settings,
        concurrency=settings.outbound_concurrency,
        time_limit=max(settings.max_fetch, settings.max_delivery),
    ),
    tasks=["darkroom_outbound.tasks"],
)
