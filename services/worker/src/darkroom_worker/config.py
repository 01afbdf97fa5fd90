"""Celery's configuration for tasks that use the processor and may crash it: processes, acknowledged late."""

from typing import Any

from darkroom_runtime.celery_config import consumer

from darkroom_worker.settings import WorkerSettings


def celery_config(settings: WorkerSettings) -> dict[str, Any]:
    """One process for each image that is worked on at once."""
    return consumer(settings) | {
        "worker_concurrency": settings.processes,
        "worker_pool": "prefork",  # the thread pool knows no time limits
        "task_acks_late": True,  # a killed worker's message comes back
        "worker_prefetch_multiplier": 1,  # holds exactly one message for each process; others can take the rest
        # A process that dies is retried a counted number of times; requeueing it would go on for ever.
        "task_retry_on_worker_lost": True,
        "task_reject_on_worker_lost": False,
        "task_acks_on_timeout": True,  # an image over its time limit has failed, it is not tried again
        "task_time_limit": settings.hard_time_limit,  # for decoders that do not come back to be interrupted
        "worker_max_tasks_per_child": 200,  # returns what decoders leak
        "worker_max_memory_per_child": 700_000,  # KiB; looks at the peak, between tasks
        # On SIGQUIT (compose maps SIGTERM to it): finish what can be finished in 20 s (``stopping``), requeue the rest.
        "worker_soft_shutdown_timeout": 20,
    }
