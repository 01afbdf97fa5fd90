"""The worker's Celery application: ``celery -A darkroom_worker.app worker -Q images``."""

from darkroom_runtime.processes import consumer_process
from darkroom_runtime.settings import load

from darkroom_worker.config import celery_config
from darkroom_worker.settings import WorkerSettings
from darkroom_worker.stopping import install_stopping

settings = load(WorkerSettings)
app = consumer_process("worker", settings, celery_config(settings), tasks=["darkroom_worker.tasks"])
install_stopping(app)
