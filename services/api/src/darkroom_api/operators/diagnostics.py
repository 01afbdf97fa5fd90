"""Trying the queues out."""

import re
from typing import Annotated, Any

from darkroom_contracts.ids import new_task_id
from darkroom_contracts.messages import Add, Count
from darkroom_contracts.problems import ProblemCode
from darkroom_imaging.operations import WHOLE
from darkroom_records.task_store import TooManyTasksError
from darkroom_runtime.sending import send
from flask import Response
from flask_openapi import APIBlueprint
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from darkroom_api.http import bodies
from darkroom_api.http.api_keys import asks_for_key
from darkroom_api.http.bodies import accepted
from darkroom_api.http.foreign_pages import has_effect
from darkroom_api.http.openapi import NEEDS_KEY, TASKS, answers, json_content
from darkroom_api.http.problems import Problem
from darkroom_api.services import services

blueprint = APIBlueprint("diagnostics", __name__, abp_tags=[TASKS])

LARGEST = 2**53 - 1
"""Up to here every reader of JSON keeps whole numbers exact (RFC 8259, 6)."""
LONGEST_COUNT = 600
"""It counts ten a second, so this takes a minute."""
_WHOLE = re.compile(r"-?[0-9]{1,16}")


def _whole(text: Any) -> int:
    if not _WHOLE.fullmatch(str(text)):
        raise ValueError(f"must be a whole number between {-LARGEST} and {LARGEST}")
    return int(text)


Number = Annotated[int, Field(ge=-LARGEST, le=LARGEST), BeforeValidator(_whole)]


class AddPath(BaseModel):
    """Two whole numbers."""

    x: Number
    y: Number


class CountOrder(BaseModel):
    """How far to count."""

    model_config = ConfigDict(strict=True, extra="forbid")

    total: Annotated[int, Field(ge=1, le=LONGEST_COUNT), WHOLE] = Field(description="Ten are counted in a second.")


class TaskReference(BaseModel):
    """A task was sent to its queue."""

    id: str = Field(description="Ask for it at `/tasks/{id}`.")


@blueprint.get(
    "/add/<x>/<y>",
    operation_id="addNumbers",
    security=NEEDS_KEY,
    responses=answers({202: TaskReference}, 401, 404, 422, 429, 503),
)
@has_effect
@asks_for_key
def add(path: AddPath) -> Response:
    """Add two numbers on a worker: the smallest round trip through the queue."""
    return _send(Add(path.x, path.y), total=1)


@blueprint.post(
    "/tasks/count",
    operation_id="countOnWorker",
    security=NEEDS_KEY,
    responses=answers({202: TaskReference}, 400, 401, 413, 415, 422, 429, 503),
    request_body=json_content(blueprint, CountOrder),
)
@asks_for_key
def count() -> Response:
    """Count on a worker, ten a second: a task whose progress can be watched, and that can be cancelled."""
    total = bodies.read_json(CountOrder).total
    return _send(Count(total), total=total)


def _send(message: Add | Count, total: int) -> Response:
    task_id = new_task_id()
    try:
        services().tasks.create(type(message), task_id, total=total)
    except TooManyTasksError:
        raise Problem(
            429,
            "Too many tasks of this kind are unfinished. Please retry later.",
            code=ProblemCode.TOO_MANY_TASKS,
            headers={"Retry-After": "10"},
        ) from None
    send(services().celery, message, task_id=task_id)
    return accepted(TaskReference(id=task_id), services().paths.task(task_id))
