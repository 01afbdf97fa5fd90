"""A task that does nothing useful but shows that the queue works, for people and for monitors."""

import time

from darkroom_contracts.limits import COUNTS_PER_SECOND
from darkroom_records.task_store import PATIENCE, TaskStore


def count(
    tasks: TaskStore, task_id: str, total: int, *, interval: float = 1 / COUNTS_PER_SECOND, patience: float = PATIENCE
) -> None:
    """Count up to a total and record the progress. Stop when cancelled; cancel what has waited or counted too long.

    Args:
        tasks: the records of tasks.
        task_id: this task.
        total: what is counted to.
        interval: seconds between two numbers.
        patience: seconds that all of it may take longer than its intervals.
    """
    deadline = time.monotonic() + total * interval + patience
    if not tasks.begin_count(task_id, total):
        tasks.cancel(task_id)
        return
    for number in range(total):
        if not tasks.progress(task_id, number):
            return
        if time.monotonic() > deadline:
            tasks.cancel(task_id)
            return
        time.sleep(interval)
    tasks.succeed(task_id, total, done=total)
