"""The schedule: which task is sent when."""

from typing import Any

from celery.schedules import schedule
from darkroom_contracts.queues import Task
from darkroom_runtime import control

from darkroom_scheduler.settings import SchedulerSettings


def entries(settings: SchedulerSettings) -> dict[str, dict[str, Any]]:
    """The entries of beat's schedule, by the names under which RedBeat keeps them."""
    return {
        "recover-groups": _every(settings.recovery_interval, Task.RECOVER_GROUPS),
        "expire-groups": _every(settings.expiry_interval, Task.EXPIRE_GROUPS),
        "refresh-control": _every(control.MAX_AGE, Task.REFRESH_CONTROL),
    }


def _every(seconds: float, task: Task) -> dict[str, Any]:
    # A task that waited for longer than its interval is followed by the next one: it need not run any more.
    return {"task": task.value, "schedule": schedule(run_every=seconds), "options": {"expires": seconds}}
