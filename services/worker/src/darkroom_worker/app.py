"""The worker's Celery application: ``celery -A darkroom_worker.app worker -Q images``."""

from darkroom_runtime.celery_config import image_consumer
from darkroom_runtime.processes import consumer_process
from darkroom_runtime.settings import load

from darkroom_worker.settings import WorkerSettings

settings = load(WorkerSettings)
app = consumer_process(
    "worker",
    settings,
    image_consumer(
        settings,
        concurrency=settings.worker_concurrency,
        soft_limit=settings.image_time_limit,
        hard_limit=settings.hard_time_limit,
    ),
    tasks=["darkroom_worker.tasks.images"],
)
