"""How Celery is set up. A service adds what holds for it alone, in its own ``config`` or ``app`` module.

What follows from a measurement or from Celery's source says so.
"""

from collections.abc import Iterable
from typing import Any

from celery import Celery
from darkroom_contracts.messages import MESSAGES
from darkroom_contracts.queues import Queue
from kombu import Queue as CeleryQueue

from darkroom_runtime.settings import Settings

VISIBILITY_TIMEOUT = 900
"""Seconds after which Redis hands out an unacknowledged message again. It is never renewed while a task runs, so it
must exceed the hardest time limit plus the wait inside a worker; and it must be one value for every consumer, because
the list of unacknowledged messages belongs to the whole database."""


def every_process(settings: Settings) -> dict[str, Any]:
    """What holds for publishers and consumers alike."""
    return {
        "broker_url": settings.redis_address(),
        "task_serializer": "json",
        "accept_content": ["json"],  # a queue is no place for pickled code
        "enable_utc": True,
        "timezone": "UTC",
        "task_queues": [CeleryQueue(queue.value, routing_key=queue.value) for queue in Queue],
        "task_create_missing_queues": False,  # a misspelt queue is an error, not a queue nobody watches
        "task_default_queue": Queue.MAINTENANCE.value,
        "task_routes": {message.name: {"queue": message.queue.value} for message in MESSAGES},
        "result_backend": "darkroom_runtime.no_results:NoResults",
        "task_ignore_result": True,  # state lives in the group store; a stored result costs five more commands
    }


def publisher(settings: Settings) -> dict[str, Any]:
    """For a process that only sends tasks, and must say within seconds that it cannot."""
    return every_process(settings) | {
        # By default a frozen Redis gives no error for over a minute; so set, it takes two seconds.
        "broker_transport_options": {
            "socket_connect_timeout": 1.0,
            "socket_timeout": 2.0,
            "socket_keepalive": True,
            "max_retries": 1,
            "interval_start": 0,
            "interval_step": 0.1,
            "interval_max": 0.2,
        },
        "broker_connection_timeout": 2.0,
        "broker_pool_acquire_timeout": 2.0,
        "task_publish_retry": False,  # the client hears 503 and knows to come again
    }


def consumer(settings: Settings) -> dict[str, Any]:
    """For a process that runs tasks."""
    return every_process(settings) | {
        "broker_transport_options": {
            "visibility_timeout": VISIBILITY_TIMEOUT,
            # Look for lost messages every 10 s instead of every several minutes.
            "unacked_restore_interval": 10,
            "unacked_restore_throttle": 1,
            # Notice within 21 s, not 51, that the connection on which it waits for messages is silently cut off.
            "health_check_interval": 10,
            "socket_connect_timeout": 3,
            "socket_timeout": 30,
            "socket_keepalive": True,
        },
        "broker_connection_retry_on_startup": True,  # the order in which containers start must not matter
        "broker_connection_max_retries": None,  # a worker never gives Redis up
        # True would lose the running task whenever Redis restarts: it is cancelled, yet acknowledged.
        "worker_cancel_long_running_tasks_on_connection_loss": False,
        "worker_send_task_events": True,  # Flower shows tasks by them
        "worker_hijack_root_logger": False,  # the process has set up its logs already
    }


def thread_consumer(settings: Settings, *, concurrency: int, time_limit: float) -> dict[str, Any]:
    """For a service whose tasks wait rather than compute: threads, acknowledged early.

    Args:
        settings: of the process.
        concurrency: tasks run at once.
        time_limit: seconds after which a task has certainly ended. Nothing can stop a thread before; a service with a
            task that runs for longer ends itself (``darkroom_runtime.progress``).
    """
    return consumer(settings) | {
        "task_time_limit": time_limit,
        "worker_concurrency": concurrency,
        "worker_pool": "threads",  # a task that waits needs no process; the timeouts of its connections bound it
        # A message only says that something is due, and is sent again if it is lost with its service, whereas a late
        # acknowledgement would deliver a task again while it is being done.
        "task_acks_late": False,
        # Early acknowledgement would otherwise fetch four messages for each thread, which others could take.
        "worker_disable_prefetch": True,
    }


def make_celery(name: str, config: dict[str, Any], *, include: Iterable[str] = ()) -> Celery:
    """A Celery application of this configuration.

    Args:
        name: of the process, for people.
        config: one of the sets above.
        include: the modules that register this process's tasks.
    """
    app = Celery(name, include=list(include), task_cls="darkroom_runtime.task_requests:PrivateTask")
    app.config_from_object(config)
    return app
