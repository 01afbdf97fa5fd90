"""Flower's Celery application: ``celery -A darkroom_flower.app flower``."""

from typing import Any

from celery import Celery
from darkroom_runtime import logs
from darkroom_runtime.celery_config import every_process, make_celery
from darkroom_runtime.settings import load
from flower.options import options
from flower.views import BaseHandler

from darkroom_flower.foreign_pages import refuse_foreign_pages
from darkroom_flower.paths import answer_without_path
from darkroom_flower.readiness import answer_readiness
from darkroom_flower.settings import FlowerSettings


def flower_options(settings: FlowerSettings) -> dict[str, Any]:
    """Return Flower's options. A variable ``FLOWER_...`` still overrides each of them."""
    login = settings.flower_login
    return {
        # Flower keeps what it has seen of tasks, so that a restart of it does not empty its pages.
        "persistent": True,
        "db": str(settings.flower_dir / "flower.db"),
        "state_save_interval": 60_000,  # milliseconds
        # Without a login, Flower's pages are open to whoever reaches the port: they may look, not touch.
        "basic_auth": [login.get_secret_value()] if login else [],
        "read_only": login is None,
        "url_prefix": settings.flower_path.strip("/") or None,
        "max_tasks": 10_000,
        "enable_events": False,  # every worker sends them by itself; Flower would ask all of them every five seconds
        "purge_offline_workers": 60,  # seconds after which a worker that is gone leaves the list
        "logging": "none",  # logs are ours to set up
    }


def celery_config(settings: FlowerSettings) -> dict[str, Any]:
    """Celery's configuration for a process that watches workers and queues, and outlives any outage of Redis."""
    patience = {"socket_connect_timeout": 3, "socket_timeout": 30, "socket_keepalive": True}
    return every_process(settings) | {"broker_transport_options": patience}


def queue_names(celery: Celery) -> list[str]:
    """Return the names of all queues of the system, whoever watches them at the moment."""
    return sorted(queue.name for queue in celery.conf.task_queues)


def _configure() -> None:
    for name, value in flower_options(settings).items():
        setattr(options, name, value)
    # Called once Flower has read its options, where it would set up logs of its own.
    options.add_parse_callback(lambda: logs.take_over_process(settings, "flower"))
    if settings.flower_path:
        answer_without_path(settings.flower_path)
    answer_readiness(settings)
    refuse_foreign_pages(settings)
    # By itself Flower lists the queues of those workers that answered its last question in time.
    BaseHandler.get_active_queue_names = lambda handler: queue_names(handler.capp)


settings = load(FlowerSettings)
app = make_celery("flower", celery_config(settings))
_configure()
