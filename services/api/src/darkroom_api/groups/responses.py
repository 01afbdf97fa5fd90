"""What is answered about groups."""

from datetime import UTC, datetime
from typing import Annotated, Any

from darkroom_contracts.problems import ProblemCode
from darkroom_contracts.states import GroupState, ImageState, WebhookState
from darkroom_records.groups import Group, Image, Progress, WebhookStatus
from pydantic import AwareDatetime, BaseModel, Field, PlainSerializer

from darkroom_api.http.paths import Paths

Time = Annotated[AwareDatetime, PlainSerializer(lambda time: time.isoformat(), return_type=AwareDatetime)]
Link = Annotated[str, Field(json_schema_extra={"format": "uri-reference"})]


class Accepted(BaseModel):
    """A group was taken in."""

    group_id: str
    total: int = Field(description="How many images it has.")
    status_url: Link
    events_url: Link
    cancel_url: Link
    archive_url: Link
    send_images_url: Link

    @classmethod
    def of(cls, group_id: str, total: int, paths: Paths) -> "Accepted":
        return cls(
            group_id=group_id,
            total=total,
            status_url=paths.status(group_id),
            events_url=paths.events(group_id),
            cancel_url=paths.cancel(group_id),
            archive_url=paths.archive(group_id),
            send_images_url=paths.send_images(group_id),
        )


class OutputStatus(BaseModel):
    """One of the results of an image."""

    url: Link
    file: str = Field(description="The path of the result in the archive.")
    width: int
    height: int
    bytes: int


class ImageStatus(BaseModel):
    """One image of a group, as it stands."""

    index: int
    name: str = Field(description="As it was sent, with its folders.")
    file: str | None = Field(description="The path of the result in the archive, once there is one.")
    state: ImageState
    error: str | None = Field(description="Why there is no result.")
    code: ProblemCode | None = Field(
        description="The same for programs; null for images that failed before there were codes."
    )
    url: Link | None = Field(description="Where the result is, once there is one.")
    width: int | None = Field(description="Of the result.")
    height: int | None = Field(description="Of the result.")
    bytes: int | None = Field(description="Of the result.")
    outputs: dict[str, OutputStatus] | None = Field(
        None,
        exclude_if=lambda outputs: outputs is None,
        description="Its results by their names. Left out until there are any, and where the group has no outputs.",
    )

    @classmethod
    def of(cls, group_id: str, image: Image, paths: Paths) -> "ImageStatus":
        files = image.files
        return cls(
            index=image.index,
            name=image.name,
            file=files.get(""),
            state=image.state,
            error=image.outcome.error,
            code=image.outcome.code,
            url=paths.image(group_id, image.index) if "" in files else None,
            width=image.outcome.width,
            height=image.outcome.height,
            bytes=image.outcome.bytes,
            outputs={
                name: OutputStatus(
                    url=paths.image(group_id, image.index, name),
                    file=files[name],
                    width=facts.width,
                    height=facts.height,
                    bytes=facts.bytes,
                )
                for name, facts in image.outcome.outputs.items()
            }
            or None,
        )


class Webhook(BaseModel):
    """How the group's webhook stands. Where it goes is not repeated: whoever may see a status need not know it."""

    state: WebhookState = Field(
        description="`pending`: it is sent when the group ends, or again at `next_attempt_at`. `disabled`: its "
        "receiver answered 410, so it wants no more."
    )
    attempts: int = Field(description="How often it was sent since the group ended.")
    last_error: str | None = Field(description="Why the latest attempt failed.")
    code: ProblemCode | None = Field(description="The same for programs.")
    next_attempt_at: datetime | None

    @classmethod
    def of(cls, webhook: WebhookStatus) -> "Webhook":
        return cls(
            state=webhook.state,
            attempts=webhook.attempts,
            last_error=webhook.error,
            code=webhook.code,
            next_attempt_at=_time(webhook.due_at) if webhook.due_at else None,
        )


class GroupSummary(BaseModel):
    """A group, as it stands, without its images."""

    group_id: str
    status: float = Field(ge=0, le=1, description="The share of its images that will not change any more.")
    state: GroupState
    completed: int = Field(description="Images with a result.")
    failed: int
    cancelled: int
    expired: int = Field(description="Images that had not ended when the deadline passed.")
    total: int
    created_at: datetime
    finished_at: datetime | None
    expires_at: datetime | None = Field(description="When the group is deleted with its files, once it has ended.")
    deadline: datetime | None = Field(description="When whatever has not ended is given up, if that was asked for.")
    outputs: list[str] = Field(description="The names of the results of each image, if they were given some.")

    @classmethod
    def of_group(cls, group: Group, *, keep_results: int) -> "GroupSummary":
        """The group's summary.

        Args:
            group: the group.
            keep_results: seconds for which results are kept where the group does not say so itself.
        """
        return GroupSummary(**_summary(group, keep_results))


class GroupStatus(GroupSummary):
    """A group, as it stands."""

    recovering: int = Field(description="Images whose worker was lost. They are begun again within half a minute.")
    email_error: str | None = Field(description="Why the results were not emailed at the end, if that was asked for.")
    webhook: Webhook | None = Field(description="Of its latest end. Null where it has no `webhook_url`.")
    images: list[ImageStatus] | None = Field(None, description="Left out with `images=false`.")

    @classmethod
    def of(cls, group: Group, paths: Paths, *, keep_results: int, images: bool) -> "GroupStatus":
        """The group's status.

        Args:
            group: the group.
            paths: where its results are.
            keep_results: seconds for which results are kept where the group does not say so itself.
            images: whether to list its images.
        """
        return cls(
            **_summary(group, keep_results),
            recovering=group.recovering,
            email_error=group.email_error,
            webhook=Webhook.of(group.webhook) if group.webhook else None,
            images=[ImageStatus.of(group.group_id, image, paths) for image in group.images] if images else None,
        )


class GroupPage(BaseModel):
    """Groups of an API key."""

    groups: list[GroupSummary] = Field(description="The newest first. A page can have fewer than asked for.")
    next: str | None = Field(description="The `cursor` of the next page; null where this is the last.")


class StepTime(BaseModel):
    """One step of the work on an image."""

    step: str
    seconds: float


class Timeline(BaseModel):
    """Where the time of an image went. What is not known, or has not happened, is null."""

    group_id: str
    index: int
    state: ImageState
    created_at: datetime = Field(description="When its group was taken in.")
    queued_at: datetime | None = Field(description="When the images of the group were last sent to the queue.")
    attempt: int | None = Field(description="Which attempt runs, counted from 1.")
    began_at: datetime | None = Field(description="When the latest attempt began.")
    ended_at: datetime | None = Field(description="When that attempt ended.")
    waited: float | None = Field(description="Seconds from the queue to the beginning, or until now.")
    worked: float | None = Field(description="Seconds from the beginning to the end, or until now.")
    steps: list[StepTime] = Field(description="What the worker did in that time, in this order.")
    other: float | None = Field(description="Seconds of that time that no step accounts for, once it has ended.")

    @classmethod
    def of(cls, progress: Progress, *, now: float) -> "Timeline":
        """The timeline of an image.

        Args:
            progress: how far it has come.
            now: the Unix time.
        """
        group, image, attempt = progress.group, progress.image, progress.attempt
        began = attempt.began_at if attempt else image.outcome.began_at
        ended = image.outcome.ended_at
        if attempt or (began is None and not image.state.is_final):
            ended = None  # what is known of an earlier run does not count any more
        queued: float | None = group.published_at
        if began is not None and group.published_at > began:
            queued = None  # other images were sent again since
        steps = {} if attempt else image.outcome.steps
        worked = _seconds(began, ended if image.state.is_final else now)
        return cls(
            group_id=group.group_id,
            index=image.index,
            state=image.state,
            created_at=datetime.fromtimestamp(group.created_at, UTC),
            queued_at=_time(queued),
            attempt=attempt.number if attempt else None,
            began_at=_time(began),
            ended_at=_time(ended),
            waited=_seconds(queued, now if began is None and not image.state.is_final else began),
            worked=worked,
            steps=[StepTime(step=step, seconds=round(seconds, 6)) for step, seconds in steps.items()],
            other=None if ended is None or worked is None else max(0.0, round(worked - sum(steps.values()), 6)),
        )


class CancelReceipt(BaseModel):
    """What a group had come to when it was cancelled. The three counts add up to its images."""

    group_id: str
    state: GroupState
    finished: int = Field(description="Images that had ended; results among them stay.")
    aborted: int = Field(description="Images that were being worked on, and were stopped.")
    never_started: int = Field(description="Images that no worker had begun.")


class DeletionReceipt(BaseModel):
    """What a deleted group consisted of. None of it is left."""

    group_id: str
    images: int = Field(description="Its images, with their originals.")
    results: int = Field(description="Their results, of all outputs.")
    uploads: int = Field(description="The uploads that its images came from. Other groups keep theirs.")
    emails: int = Field(description="The emails with its results, whether they were sent or not.")
    webhooks: int = Field(description="The webhooks that were still to be delivered.")


class RetryReceipt(Accepted):
    """Failed images of a group wait to be worked on again."""

    retried: int = Field(ge=1, description="How many they are.")


def _summary(group: Group, keep_results: int) -> dict[str, Any]:
    counts = group.counts
    return {
        "group_id": group.group_id,
        "status": counts.finished / counts.total,
        "state": group.state,
        "completed": counts.succeeded,
        "failed": counts.failed,
        "cancelled": counts.cancelled,
        "expired": counts.expired,
        "total": counts.total,
        "created_at": _time(group.created_at),
        "finished_at": _time(group.finished_at),
        "expires_at": _time(group.expires_at(keep_results)),
        "deadline": _time(group.deadline),
        "outputs": list(group.outputs),
    }


def _seconds(since: float | None, until: float | None) -> float | None:
    return None if since is None or until is None else max(0.0, round(until - since, 6))


def _time(seconds: float | None) -> datetime | None:
    return datetime.fromtimestamp(seconds, UTC) if seconds else None
