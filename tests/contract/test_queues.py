"""Every queue is watched by someone, and every task is registered by the service that owns its queue."""

import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from darkroom_contracts.queues import QUEUE_OF, Queue, Task
from darkroom_scheduler.app import app

COMPOSE: dict[str, Any] = yaml.safe_load((Path(__file__).parents[2] / "compose.yaml").read_text())["services"]
CONSUMERS = {service: f"darkroom_{service}.app" for service in ("worker", "maintenance", "mailer")}


def queues_watched_by(service: str) -> set[Queue]:
    command = COMPOSE[service]["command"]
    words = shlex.split(command) if isinstance(command, str) else command
    return {Queue(name) for name in words[words.index("-Q") + 1].split(",")}


def registered_by(module: str) -> set[Task]:
    # In a process of its own, as in production: two Celery applications in one share their tasks.
    code = f"from {module} import app; app.loader.import_default_modules(); print(*app.tasks)"
    names = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    return {Task(name) for name in names if not name.startswith("celery.")}


def test_every_task_has_a_queue() -> None:
    assert set(QUEUE_OF) == set(Task)


def test_every_queue_is_watched_by_one_service() -> None:
    watched = [queue for service in CONSUMERS for queue in queues_watched_by(service)]
    assert sorted(watched) == sorted(Queue)


@pytest.mark.parametrize("service", CONSUMERS)
def test_a_service_registers_the_tasks_of_its_queues_and_no_others(service: str) -> None:
    owned = {task for task, queue in QUEUE_OF.items() if queue in queues_watched_by(service)}
    assert registered_by(CONSUMERS[service]) == owned


def test_the_schedule_sends_only_tasks_that_exist() -> None:
    for entry in app.conf.beat_schedule.values():
        assert Task(entry["task"]) in QUEUE_OF
