"""Making a group of what was asked for: all of it, or nothing that stays behind."""

import hashlib
import json
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from typing import cast

import structlog
from darkroom_contracts.ids import new_group_id
from darkroom_contracts.messages import FetchImage
from darkroom_contracts.pipelines import PipelineData
from darkroom_contracts.problems import ProblemCode
from darkroom_records.blobs import (
    BlobNotFoundError,
    accepted_blob,
    group_blobs,
    original_blob,
    overlay_blob,
    upload_blob,
)
from darkroom_records.groups import (
    BacklogFullError,
    EarlierRequest,
    IdempotencyKey,
    NewImage,
    RepeatedRequestError,
    Terms,
    Turns,
)
from darkroom_records.outbox import notification_request
from darkroom_runtime.logs import current_request_id
from darkroom_runtime.redis_client import UNAVAILABLE, Trouble, trouble
from darkroom_runtime.sending import send_all
from kombu.exceptions import KombuError

from darkroom_api.groups.originals import Original, overlay_ids
from darkroom_api.http.problems import Problem, backlog_full, unavailable
from darkroom_api.http.validation import problem_of
from darkroom_api.operators import metrics
from darkroom_api.services import Services

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class TakenImage:
    """An image as it was asked for: what it is called, its original, and its own operations, if it has any."""

    name: str
    original: Original
    pipeline: PipelineData | None = None
    has_own_name: bool = True
    """Whether its name was sent with it. Otherwise it is that of the upload or the earlier image."""

    def to_record(self) -> NewImage:
        """The image as the group's record is given it."""
        original = self.original
        error, code = (str(original.unfit), original.unfit.code) if original.unfit else (None, None)
        return NewImage(self.name, self.pipeline, error, code, original.url, original.image_id)

    def fingerprint(self) -> list[object]:
        """The same for every image that is the same."""
        return [self.name if self.has_own_name else None, self.original.identity, self.pipeline]


@dataclass(frozen=True, slots=True)
class Submission:
    """A group that someone wants to be made."""

    images: Sequence[TakenImage]
    pipeline: PipelineData
    terms: Terms

    def fingerprint(self) -> str:
        """The same for every request that asks for the same."""
        images = [image.fingerprint() for image in self.images]
        asked: list[object] = [images, self.pipeline, self.terms.email, self.terms.notify]
        if others := replace(self.terms, email=None, notify=False, owner=None).to_record():
            asked.append(others)  # without any, the same as in version 0.1.0
        return hashlib.sha256(json.dumps(asked).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class CreatedGroup:
    """The group that a request, or an earlier one with the same key, made."""

    group_id: str
    total: int


def create_group(
    services: Services, submission: Submission, *, client: str, key: str | None, scope: str
) -> CreatedGroup:
    """Make the group, or find the one that an equal request with the same key made.

    Args:
        services: what is worked with.
        submission: what is wanted.
        client: who asks.
        key: the request's Idempotency-Key.
        scope: whose key that is.

    Raises:
        Problem: no image can be worked on, a watermark's is not there, the key does not allow it, its owner asked
            for too many mails, or too many images wait.
    """
    idempotency = IdempotencyKey(scope, key, submission.fingerprint()) if key is not None else None
    if idempotency and (earlier := services.groups.find_earlier(idempotency)):
        return _made_earlier(earlier, idempotency)
    refuse_if_all_are_unfit(submission.images)
    refuse_if_backlog_is_full(services, submission.images, owner=submission.terms.owner)
    overlays = _find_overlays(services, submission)
    try:
        return _make(services, submission, overlays, client, idempotency)
    except RepeatedRequestError as error:
        return _made_earlier(error.earlier, cast("IdempotencyKey", idempotency))
    except BacklogFullError:
        raise backlog_full() from None


def _made_earlier(earlier: EarlierRequest, idempotency: IdempotencyKey) -> CreatedGroup:
    if earlier.fingerprint != idempotency.fingerprint:
        raise Problem(
            422,
            "This Idempotency-Key was used for another request. Choose a new one.",
            code=ProblemCode.IDEMPOTENCY_KEY_REUSED,
        )
    if earlier.group_id is None or earlier.is_under_way:
        raise Problem(
            409,
            "The first request with this Idempotency-Key is under way.",
            code=ProblemCode.IDEMPOTENCY_KEY_IN_USE,
            headers={"Retry-After": "2"},
        )
    return CreatedGroup(earlier.group_id, earlier.total)


def refuse_if_all_are_unfit(images: Sequence[TakenImage]) -> None:
    """Refuse images of which none can be worked on.

    Raises:
        Problem: 422, or 413 where all are too large.
    """
    unfit = [image.original.unfit for image in images if image.original.unfit]
    if len(unfit) == len(images):
        codes = {reason.code for reason in unfit}
        status = 413 if codes == {ProblemCode.IMAGE_TOO_LARGE} else 422
        code = codes.pop() if len(codes) == 1 else ProblemCode.VALIDATION_FAILED
        raise problem_of([(f"images[{index}]", str(reason)) for index, reason in enumerate(unfit)], status, code)


def refuse_if_backlog_is_full(services: Services, images: Sequence[TakenImage], *, owner: str | None) -> None:
    """Refuse images that too many others wait before. Whoever comes at the same time is judged as the group is created.

    Raises:
        Problem: 429.
    """
    number = sum(image.original.unfit is None for image in images)
    if not services.settings.backlog_limits.allows(services.groups.backlog(owner), number):
        raise backlog_full()


def _find_overlays(services: Services, submission: Submission) -> Sequence[str]:
    """The uploads that watermarks of the group show.

    Raises:
        Problem: one is unknown, or somebody else's.
    """
    own = (image.pipeline for image in submission.images if image.pipeline)
    wanted = overlay_ids([submission.pipeline, *submission.terms.outputs.values(), *own])
    known = services.uploads.find(wanted, owner=submission.terms.owner, keep_for=services.settings.keep_uploads)
    if unknown := [image_id for image_id in wanted if image_id not in known]:
        sentence = f"No such upload for a watermark: {', '.join(unknown)}. Upload it again"
        raise problem_of([("", sentence)], code=ProblemCode.UPLOAD_NOT_FOUND)
    return wanted


def _make(
    services: Services,
    submission: Submission,
    overlays: Sequence[str],
    client: str,
    idempotency: IdempotencyKey | None,
) -> CreatedGroup:
    """Write the group down, keep its originals, and confirm it: only then does anything come of it.

    Whatever fails before leaves an unfinished group, which is undone here, or else by the sweep.
    """
    group_id = new_group_id()
    if submission.terms.notify and submission.terms.email:
        services.outbox.reserve((submission.terms.email,), notification_request(group_id, 0, client))
    structlog.contextvars.bind_contextvars(group_id=group_id)
    fit = [index for index, image in enumerate(submission.images) if not image.original.unfit]
    to_fetch = frozenset(index for index in fit if submission.images[index].original.url)
    with ExitStack() as undo:
        undo.callback(_undo, services, group_id)
        services.groups.create(
            group_id,
            [image.to_record() for image in submission.images],
            submission.pipeline,
            replace(submission.terms, request_id=current_request_id()),
            confirmed=False,
            idempotency=idempotency,
            limits=services.settings.backlog_limits,
        )
        services.storage.run_all(
            partial(submission.images[index].original.commit, original_blob(group_id, index))
            for index in fit
            if index not in to_fetch
        )
        services.storage.run_all(
            partial(_link_overlay, services, upload_blob(image_id), overlay_blob(group_id, image_id))
            for image_id in overlays
        )
        turns = _confirm(services, group_id)
        undo.pop_all()
    if turns is not None:
        _publish(services, group_id, turns, sorted(to_fetch))
    metrics.IMAGES_TAKEN.inc(len(fit))
    return CreatedGroup(group_id, len(submission.images))


def _confirm(services: Services, group_id: str) -> Turns | None:
    """Confirm the group. None where that is left to the sweep: Redis may have done it, and can not be asked.

    What the client is told must hold, though nobody knows whether the group is confirmed. It can be kept, since its
    record is there and so are its originals; it could not be undone.
    """
    try:
        turns = services.groups.confirm(group_id)
    except UNAVAILABLE as error:
        if trouble(error) is not Trouble.UNREACHABLE:
            raise
        services.storage.put(accepted_blob(group_id), b"")
        _log.warning("confirmation_postponed", reason=str(error))
        return None
    if turns is None:
        raise unavailable(
            "Storing the images took too long. Nothing was kept; please retry.", ProblemCode.STORAGE_UNAVAILABLE
        )
    return turns


def _link_overlay(services: Services, source: str, target: str) -> None:
    try:
        services.storage.link(source, target)
    except BlobNotFoundError as error:  # deleted in this very moment: the worker says so of each image
        _log.warning("overlay_deleted_meanwhile", reason=str(error))


def _publish(services: Services, group_id: str, turns: Turns, to_fetch: Sequence[int]) -> None:
    try:
        turns.send(partial(send_all, services.celery))
        fetches = (FetchImage(group_id, index) for index in to_fetch)
        send_all(services.celery, fetches, published_at=turns.published_at)
    except KombuError as error:
        _log.warning("images_not_sent", reason=str(error))  # recovery sends them: the group stands as running


def _undo(services: Services, group_id: str) -> None:
    """Leave nothing of a group that is not confirmed. What cannot be done now, the sweep does."""
    try:
        services.storage.delete_all(group_blobs(group_id))
        services.groups.delete(group_id)
        services.groups.blobs_deleted(group_id)
    except (*UNAVAILABLE, OSError) as error:
        _log.warning("intake_not_undone", reason=str(error))
