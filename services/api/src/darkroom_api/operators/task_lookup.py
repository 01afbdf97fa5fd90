"""Finding a task by its id, whichever kind it is."""

from collections.abc import Callable, Sequence

from darkroom_contracts.ids import image_of_task, is_task_id
from darkroom_contracts.problems import ProblemCode
from darkroom_records.groups import UnknownGroupError
from darkroom_records.outbox import UnknownMailError
from darkroom_records.task_store import UnknownTaskError

from darkroom_api import extensions
from darkroom_api.http.problems import Problem
from darkroom_api.operators.task_schema import TaskStatus


def find(task_id: str) -> TaskStatus:
    """The task as it stands.

    Raises:
        Problem: 404 where there is none of this id.
    """
    for source in _SOURCES:
        if found := source(task_id):
            return found
    raise Problem(
        404,
        "There is no task of this id. It may have expired.",
        code=ProblemCode.TASK_NOT_FOUND,
        error="Invalid task id",
    )


def _diagnostic(task_id: str) -> TaskStatus | None:
    if not is_task_id(task_id):
        return None
    try:
        return TaskStatus.of_record(extensions.task_store().read(task_id))
    except UnknownTaskError:
        return None


def _image(task_id: str) -> TaskStatus | None:
    if not (place := image_of_task(task_id)):
        return None
    try:
        image = extensions.groups().image(*place)
    except UnknownGroupError:
        return None
    return TaskStatus.of_image(place[0], image) if image else None


def _mail(task_id: str) -> TaskStatus | None:
    try:
        return TaskStatus.of_mail(extensions.outbox().read(task_id))
    except UnknownMailError:
        return None


_SOURCES: Sequence[Callable[[str], TaskStatus | None]] = (_diagnostic, _image, _mail)
"""Each knows one kind of task, and answers None for the ids of others."""
