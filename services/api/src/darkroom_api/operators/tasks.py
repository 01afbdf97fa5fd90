"""Single tasks, by their ids."""

from darkroom_contracts.problems import ProblemCode
from flask import Response
from flask_openapi import APIBlueprint, Tag
from pydantic import BaseModel, Field

from darkroom_api import extensions
from darkroom_api.http.answers import as_json
from darkroom_api.http.api_keys import asks_for_key
from darkroom_api.http.openapi import NEEDS_KEY, answers
from darkroom_api.http.problems import Problem
from darkroom_api.operators import task_lookup
from darkroom_api.operators.task_schema import TaskStatus

blueprint = APIBlueprint("tasks", __name__, abp_tags=[Tag(name="tasks", description="Single tasks")])

_PATH = "/tasks/<string(minlength=32):id>"  # shorter ones would stand in the way of paths such as /tasks/count


class TaskPath(BaseModel):
    """A task."""

    id: str = Field(json_schema_extra={"pattern": r"^[0-9a-f]{32}(\.[0-9]+)?$"})


@blueprint.get(_PATH, operation_id="getTask", responses=answers({200: TaskStatus}, 404, 503))
def task(path: TaskPath) -> Response:
    """How a task stands. A task can be asked for by any id that was handed out; an image's is `{group_id}.{index}`."""
    return as_json(task_lookup.find(path.id))


@blueprint.post(
    f"{_PATH}/cancel",
    operation_id="cancelTask",
    security=NEEDS_KEY,
    responses=answers({200: TaskStatus}, 401, 404, 409, 503),
)
@asks_for_key
def cancel(path: TaskPath) -> Response:
    """Cancel a task that has not ended. An image is cancelled with its whole group only."""
    found = task_lookup.find(path.id)
    if not found.ready and extensions.task_store().cancel(path.id):
        return as_json(task_lookup.find(path.id))
    if task_lookup.find(path.id).ready:
        raise Problem(409, "The task had ended already, so there is nothing to cancel.", code=ProblemCode.TASK_ENDED)
    raise Problem(
        409,
        "This task cannot be cancelled. An image is, with its whole group: POST /cancel/{group_id}.",
        code=ProblemCode.TASK_NOT_CANCELLABLE,
    )
