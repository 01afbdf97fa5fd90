"""The scheduler's Celery application: ``celery -A darkroom_scheduler.app beat``."""

from typing import Any

from celery import signals
from darkroom_runtime import logs
from darkroom_runtime.celery_config import make_celery
from darkroom_runtime.settings import load

from darkroom_scheduler.config import celery_config
from darkroom_scheduler.schedule import entries
from darkroom_scheduler.settings import SchedulerSettings

settings = load(SchedulerSettings)
app = make_celery("scheduler", celery_config(settings) | {"beat_schedule": entries(settings)})


@signals.setup_logging.connect
def configure_logs(**_: Any) -> None:
    """Keep Celery from setting up logs of its own."""
    logs.take_over_process(settings, "scheduler")
