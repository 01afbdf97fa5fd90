"""Put a process together that runs tasks: its Celery application, its logs, its heartbeat, its health, its progress."""

from collections.abc import Iterable
from typing import Any

import structlog
from celery import Celery, signals

from darkroom_runtime import heartbeat, logs, progress
from darkroom_runtime.celery_config import make_celery
from darkroom_runtime.settings import ConsumerSettings
from darkroom_runtime.shutdown_log import log_shutdown
from darkroom_runtime.worker_health import install_health


def consumer_process(
    service: str, settings: ConsumerSettings, config: dict[str, Any], *, tasks: Iterable[str]
) -> Celery:
    """The Celery application of a worker, wired to structured logs and a heartbeat, and judged by its progress.

    Args:
        service: its name in compose and in logs.
        settings: of the process.
        config: one of the sets of ``celery_config``.
        tasks: the modules that register its tasks.
    """

    def configure_logs(**_: Any) -> None:
        logs.take_over_process(settings, service)

    # A receiver here keeps Celery from setting up logs of its own; weak would let it be collected. A worker has things
    # to say before it comes to its logs.
    signals.celeryd_init.connect(configure_logs, weak=False)
    signals.setup_logging.connect(configure_logs, weak=False)
    _bind_request_id()
    log_shutdown()
    heartbeat.install_heartbeat(settings)
    progress.install_progress(settings)
    app = make_celery(service, config, include=tasks)
    install_health(app)
    return app


def _bind_request_id() -> None:
    """Let the log lines of every task run here, and the messages it sends, carry the request id of its own message."""
    signals.task_prerun.connect(_bind)
    signals.task_postrun.connect(_unbind)


def _bind(task_id: str, task: Any, **_: Any) -> None:
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(task_id=task_id, task=task.name)
    if request_id := task.request.get(logs.REQUEST_ID):
        structlog.contextvars.bind_contextvars(request_id=request_id)


def _unbind(**_: Any) -> None:
    structlog.contextvars.clear_contextvars()
