"""Single tasks, as they are asked for and shown."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated

from darkroom_contracts.ids import task_id
from darkroom_contracts.mail import MailState
from darkroom_contracts.problems import ProblemCode
from darkroom_contracts.states import ImageState, TaskState
from darkroom_imaging.operations import WHOLE
from darkroom_records.groups import Image
from darkroom_records.outbox import MailRecord
from darkroom_records.task_store import TaskRecord
from pydantic import BaseModel, ConfigDict, Field

from darkroom_api.groups import links

LONGEST_COUNT = 600
"""It counts ten a second, so this takes a minute."""

_STATE_OF_MAIL: Mapping[MailState, TaskState] = MappingProxyType(
    {
        MailState.QUEUED: TaskState.QUEUED,
        MailState.SENDING: TaskState.PROCESSING,
        MailState.SENT: TaskState.SUCCEEDED,
        MailState.PARTIAL: TaskState.FAILED,
        MailState.FAILED: TaskState.FAILED,
        MailState.CANCELLED: TaskState.CANCELLED,
    }
)


class CountOrder(BaseModel):
    """How far to count."""

    model_config = ConfigDict(strict=True, extra="forbid")

    total: Annotated[int, Field(ge=1, le=LONGEST_COUNT), WHOLE] = Field(description="Ten are counted in a second.")


class TaskReference(BaseModel):
    """A task was sent to its queue."""

    id: str = Field(description="Ask for it at `/tasks/{id}`.")


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
        description="What came out: a number, where an image's result is, or how many addresses a mail went to."
    )
    error: str | None = Field(description="Why nothing came out, or, of a mail that is to be tried again, not yet.")
    code: ProblemCode | None = Field(None, description="The same of an image, for programs.")
    progress: Progress

    @classmethod
    def of_record(cls, record: TaskRecord) -> "TaskStatus":
        progress = Progress(done=record.done, total=record.total)
        return cls._at(record.task_id, record.state, progress, value=record.value)

    @classmethod
    def of_image(cls, group_id: str, image: Image) -> "TaskStatus":
        value = links.image(group_id, image.index) if image.state is ImageState.SUCCEEDED else None
        progress = Progress(done=int(image.state.is_final), total=1)
        outcome = image.outcome
        name = task_id(group_id, image.index)
        return cls._at(name, image.state, progress, value=value, error=outcome.error, code=outcome.code)

    @classmethod
    def of_mail(cls, mail: MailRecord) -> "TaskStatus":
        state = _STATE_OF_MAIL[mail.state]
        progress = Progress(done=int(state.is_final), total=1)
        return cls._at(mail.mail_id, state, progress, value=mail.accepted or None, error=mail.reason)

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
