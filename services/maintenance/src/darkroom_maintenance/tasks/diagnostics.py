"""Tasks that show that the queue works, for people and for monitoring."""

import time

from celery import Task
from darkroom_contracts import messages
from darkroom_contracts.limits import COUNTS_PER_SECOND
from darkroom_records.task_store import PATIENCE

from darkroom_maintenance.app import app
from darkroom_maintenance.resources import task_store


@app.task(name=messages.Add.name, bind=True)
def add(task: "Task[..., None]", x: int, y: int) -> None:
    """Add two integers: the smallest round trip through the queue."""
    task_store().succeed(str(task.request.id), x + y, done=1)


@app.task(name=messages.Count.name, bind=True)
def count(task: "Task[..., None]", total: int) -> None:
    """Count up to a total, ten a second, and report progress.

    It stops as soon as it is cancelled, and is cancelled where it has waited or counted for too long.
    """
    task_id = str(task.request.id)
    deadline = time.monotonic() + total / COUNTS_PER_SECOND + PATIENCE
    if not task_store().begin_count(task_id, total):
        task_store().cancel(task_id)
        return
    for number in range(total):
        if not task_store().progress(task_id, number):
            return
        if time.monotonic() > deadline:
            task_store().cancel(task_id)
            return
        time.sleep(1 / COUNTS_PER_SECOND)
    task_store().succeed(task_id, total, done=total)
