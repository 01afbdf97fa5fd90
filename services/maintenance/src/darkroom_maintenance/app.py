"""The maintenance service's Celery application: ``celery -A darkroom_maintenance.app worker -Q maintenance``."""

from darkroom_contracts.limits import MAX_COUNTS
from darkroom_runtime.celery_config import thread_consumer
from darkroom_runtime.processes import consumer_process
from darkroom_runtime.settings import load

from darkroom_maintenance.settings import MaintenanceSettings

HOUSEKEEPERS = 4
"""Threads that remain for housekeeping while every count that may run at once is running."""
TIME_LIMIT = 3600
"""Seconds after which a task has certainly ended: far more than deleting a day's groups takes."""

settings = load(MaintenanceSettings)
app = consumer_process(
    "maintenance",
    settings,
    thread_consumer(settings, concurrency=HOUSEKEEPERS + MAX_COUNTS, time_limit=TIME_LIMIT),
    tasks=["darkroom_maintenance.tasks"],
)
