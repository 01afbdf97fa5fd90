"""A service whose tasks hang, and whose loop can be made to: ``celery -A support.stuck_service worker``.

It is put together as those of ours are, with the pool that ``STUCK_POOL`` names.
"""

import os
import threading
from typing import Any

from celery import signals
from darkroom_contracts.messages import Add, Count
from darkroom_runtime.celery_config import consumer, thread_consumer
from darkroom_runtime.processes import consumer_process
from darkroom_runtime.settings import ConsumerSettings, load

TIME_LIMIT = 3
"""Seconds after which a task has certainly ended, it says."""
LOOP = -1
"""As the first number to add: hangs the loop that takes messages, instead of the task."""


def _config(settings: ConsumerSettings) -> dict[str, Any]:
    if os.environ.get("STUCK_POOL") == "threads":
        return thread_consumer(settings, concurrency=2, time_limit=TIME_LIMIT)
    return consumer(settings) | {
        "worker_concurrency": 2,
        "worker_pool": "prefork",
        "worker_prefetch_multiplier": 1,
        "task_acks_late": True,
        "task_time_limit": TIME_LIMIT,
    }


settings = load(ConsumerSettings)
app = consumer_process("stuck", settings, _config(settings), tasks=[])


@app.task(name=Add.name)
def hang(x: int, y: int) -> None:  # noqa: ARG001 - as the message has it
    """Hang for ever."""
    threading.Event().wait()


@app.task(name=Count.name)
def wait(total: int) -> None:
    """Take a tenth of a second for each."""
    threading.Event().wait(total / 10)


@signals.task_received.connect
def hang_loop(request: Any, **_: Any) -> None:
    """Hang the loop for ever, if the message says so."""
    if request.name == Add.name and request.args[0] == LOOP:
        threading.Event().wait()
