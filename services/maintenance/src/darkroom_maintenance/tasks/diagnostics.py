"""Tasks that do nothing useful but show that the queue works, for people and for monitors."""

import threading

from celery import Task
from darkroom_contracts import queues

from darkroom_maintenance.app import app
from darkroom_maintenance.resources import task_store

COUNTS_PER_SECOND = 10


@app.task(name=queues.Task.ADD, bind=True)
def add(task: "Task[..., None]", x: int, y: int) -> None:
    """Add two integers: the smallest round trip through the queue."""
    task_store().succeed(str(task.request.id), x + y, done=1)


@app.task(name=queues.Task.COUNT, bind=True)
def count(task: "Task[..., None]", total: int) -> None:
    """Count up to a total, ten a second, saying how far it has come; stop as soon as it is cancelled."""
    pace = threading.Event()
    for number in range(total):
        if not task_store().progress(str(task.request.id), number):
            return
        pace.wait(1 / COUNTS_PER_SECOND)
    task_store().succeed(str(task.request.id), total, done=total)
