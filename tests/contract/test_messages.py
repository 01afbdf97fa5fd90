"""Every message has a task, at the service that consumes its queue, that takes what the message carries."""

import json
import shlex
import subprocess
import sys
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
import yaml
from darkroom_contracts.messages import MESSAGES, Message
from darkroom_contracts.queues import Queue
from darkroom_scheduler.app import app

COMPOSE: dict[str, Any] = yaml.safe_load((Path(__file__).parents[2] / "compose.yaml").read_text())["services"]
CONSUMERS = ("worker", "maintenance", "mailer", "outbound")
REGISTERED = """
import inspect, json, sys
from importlib import import_module

app = import_module(sys.argv[1]).app
app.loader.import_default_modules()
parameters = {name: inspect.signature(task.run, eval_str=True).parameters.values() for name, task in app.tasks.items()}
print(json.dumps({
    name: [[p.name, p.annotation.__name__, p.default is p.empty] for p in own]
    for name, own in parameters.items() if not name.startswith("celery.")
}))
"""


def queues_watched_by(service: str) -> set[Queue]:
    command = COMPOSE[service]["command"]
    words = shlex.split(command) if isinstance(command, str) else command
    return {Queue(name) for name in words[words.index("-Q") + 1].split(",")}


def registered_by(service: str) -> dict[str, list[list[Any]]]:
    """The names of a service's tasks, and of the arguments of each the name, the type, and whether it must be given."""
    # In a process of its own, as in production: two Celery applications in one share their tasks.
    command = [sys.executable, "-c", REGISTERED, f"darkroom_{service}.app"]
    tasks: dict[str, list[list[Any]]] = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    return tasks


def arguments(message: type[Message]) -> list[list[Any]]:
    return [[field.name, getattr(field.type, "__name__", field.type), True] for field in fields(message)]


def test_no_two_messages_have_one_name() -> None:
    assert len({message.name for message in MESSAGES}) == len(MESSAGES)


def test_every_queue_is_watched_by_one_service() -> None:
    watched = [queue for service in CONSUMERS for queue in queues_watched_by(service)]
    assert sorted(watched) == sorted(Queue)


@pytest.mark.parametrize("service", CONSUMERS)
def test_a_service_has_a_task_for_each_message_of_its_queues_with_the_messages_fields_as_arguments(
    service: str,
) -> None:
    own = {message.name: arguments(message) for message in MESSAGES if message.queue in queues_watched_by(service)}
    assert registered_by(service) == own


def test_the_schedule_sends_only_messages_that_exist() -> None:
    without_fields = {message.name for message in MESSAGES if not fields(message)}
    assert {entry["task"] for entry in app.conf.beat_schedule.values()} <= without_fields
