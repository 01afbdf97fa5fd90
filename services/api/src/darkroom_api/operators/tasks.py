"""Single tasks of any kind, by their ids."""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

from darkroom_contracts.ids import image_of_task, is_task_id, task_id
from darkroom_contracts.mail import EmailState
from darkroom_contracts.problems import ProblemCode
from darkroom_contracts.states import ImageState, TaskState
from darkroom_records.groups import Image, UnknownGroupError
from darkroom_records.outbox import EmailRecord, UnknownEmailError
from darkroom_records.task_store import TaskRecord, UnknownTaskError
from flask import Response
from flask_openapi import APIBlueprint
from pydantic import BaseModel, Field

from darkroom_api.http.api_keys import asks_for_key
from darkroom_api.http.bodies import as_json
from darkroom_api.http.openapi import NEEDS_KEY, TASKS, answers
from darkroom_api.http.paths import Paths
from darkroom_api.http.problems import Problem
from darkroom_api.services import Services, services

blueprint = APIBlueprint("tasks", __name__, abp_tags=[TASKS])

_PATH = "/tasks/<string(minlength=32):id>"  # shorter ones would stand in the way of paths such as /tasks/count

_STATE_OF_EMAIL: Mapping[EmailState, TaskState] = MappingProxyType(
    {
        EmailState.QUEUED: TaskState.QUEUED,
        EmailState.SENDING: TaskState.PROCESSING,
        EmailState.SENT: TaskState.SUCCEEDED,
        EmailState.PARTIAL: TaskState.FAILED,
        EmailState.FAILED: TaskState.FAILED,
        EmailState.CANCELLED: TaskState.CANCELLED,
    }
)


class Progress(BaseModel):
    """How far a task has come."""

    done: int
    total: int


class TaskStatus(BaseModel):
    """A task, as it stands."""

    id: str
    state: TaskState
    ready: bool = Field(description="Whether it has ended, in whatever way.")
    successful: bool = Field(description="Whether it has ended well.")
    value: int | str | None = Field(
        description="What came out: a number, where an image's result is, or how many addresses an email went to."
    )
    error: str | None = Field(description="Why nothing came out, or, of an email that is to be tried again, not yet.")
    code: ProblemCode | None = Field(None, description="The same of an image, for programs.")
    progress: Progress

    @classmethod
    def of_record(cls, record: TaskRecord) -> "TaskStatus":
        progress = Progress(done=record.done, total=record.total)
        return cls._at(record.task_id, record.state, progress, value=record.value)

    @classmethod
    def of_image(cls, group_id: str, image: Image, paths: Paths) -> "TaskStatus":
        value = paths.image(group_id, image.index) if image.state is ImageState.SUCCEEDED else None
        progress = Progress(done=int(image.state.is_final), total=1)
        outcome = image.outcome
        name = task_id(group_id, image.index)
        return cls._at(name, image.state, progress, value=value, error=outcome.error, code=outcome.code)

    @classmethod
    def of_email(cls, email: EmailRecord) -> "TaskStatus":
        state = _STATE_OF_EMAIL[email.state]
        progress = Progress(done=int(state.is_final), total=1)
        return cls._at(email.email_id, state, progress, value=email.accepted or None, error=email.reason)

    @classmethod
    def _at(
        cls,
        name: str,
        state: TaskState,
        progress: Progress,
        *,
        value: int | str | None,
        error: str | None = None,
        code: ProblemCode | None = None,
    ) -> "TaskStatus":
        return cls(
            id=name,
            state=state,
            ready=state.is_final,
            successful=state is TaskState.SUCCEEDED,
            value=value,
            error=error,
            code=code,
            progress=progress,
        )


class TaskPath(BaseModel):
    """A task."""

    id: str = Field(json_schema_extra={"pattern": r"^[0-9a-f]{32}(\.[0-9]+)?$"})


@blueprint.get(_PATH, operation_id="getTask", responses=answers({200: TaskStatus}, 404, 503))
def task(path: TaskPath) -> Response:
    """How a task stands. A task can be asked for by any id that was handed out; an image's is `{group_id}.{index}`."""
    return as_json(find_task(services(), path.id))


@blueprint.post(
    f"{_PATH}/cancel",
    operation_id="cancelTask",
    security=NEEDS_KEY,
    responses=answers({200: TaskStatus}, 401, 404, 409, 503),
)
@asks_for_key
def cancel(path: TaskPath) -> Response:
    """Cancel a task that has not ended. An image is cancelled with its whole group only."""
    found = find_task(services(), path.id)
    if not found.ready and services().tasks.cancel(path.id):
        return as_json(find_task(services(), path.id))
    if find_task(services(), path.id).ready:
        raise Problem(409, "The task has already ended; there is nothing to cancel.", code=ProblemCode.TASK_ENDED)
    raise Problem(
        409,
        "This task cannot be cancelled. An image is, with its whole group: POST /cancel/{group_id}.",
        code=ProblemCode.TASK_NOT_CANCELLABLE,
    )


def find_task(services: Services, task_id: str) -> TaskStatus:
    """The task as it stands.

    Raises:
        Problem: 404 where there is none of this id.
    """
    for source in _SOURCES:
        if found := source(services, task_id):
            return found
    raise Problem(
        404,
        "No such task. It may have expired.",
        code=ProblemCode.TASK_NOT_FOUND,
        error="Invalid task id",
    )


def _diagnostic(services: Services, task_id: str) -> TaskStatus | None:
    if not is_task_id(task_id):
        return None
    try:
        return TaskStatus.of_record(services.tasks.read(task_id))
    except UnknownTaskError:
        return None


def _image(services: Services, task_id: str) -> TaskStatus | None:
    if not (place := image_of_task(task_id)):
        return None
    try:
        image = services.groups.image(*place)
    except UnknownGroupError:
        return None
    return TaskStatus.of_image(place[0], image, services.paths) if image else None


def _email(services: Services, task_id: str) -> TaskStatus | None:
    try:
        return TaskStatus.of_email(services.outbox.read(task_id))
    except UnknownEmailError:
        return None


_SOURCES: Sequence[Callable[[Services, str], TaskStatus | None]] = (_diagnostic, _image, _email)
"""Each knows one kind of task, and answers None for the ids of others."""
