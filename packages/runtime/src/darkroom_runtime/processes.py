"""How a process that runs tasks is put together: its Celery application, its logs, its heartbeat."""

from collections.abc import Iterable
from typing import Any

from celery import Celery, signals

from darkroom_runtime import heartbeat, logs
from darkroom_runtime.celery_config import make_celery
from darkroom_runtime.settings import Settings
from darkroom_runtime.shutdown_log import log_shutdown


def consumer_process(service: str, settings: Settings, config: dict[str, Any], *, tasks: Iterable[str]) -> Celery:
    """The Celery application of a worker, wired to structured logs and to a heartbeat.

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
    logs.bind_request_id()
    log_shutdown()
    heartbeat.keep_for_worker(settings)
    return make_celery(service, config, include=tasks)
