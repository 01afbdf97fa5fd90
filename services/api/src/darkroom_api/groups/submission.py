"""Making a group of what was asked for: all of it, or nothing that stays behind."""

import hashlib
import json
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass

import structlog
from darkroom_contracts.ids import new_group_id
from darkroom_contracts.mail import Address
from darkroom_contracts.messages import ProcessImage
from darkroom_contracts.pipelines import PipelineData
from darkroom_contracts.problems import ProblemCode
from darkroom_records.blobs import group_blobs, original_blob
from darkroom_records.groups import NewImage
from darkroom_records.outbox import notification_request
from darkroom_runtime.logs import current_request_id
from darkroom_runtime.redis_client import UNAVAILABLE
from darkroom_runtime.sending import send_all

from darkroom_api import extensions
from darkroom_api.groups.idempotency import IdempotencyKey, Made
from darkroom_api.http.client_address import client
from darkroom_api.http.validation import problem_of
from darkroom_api.operators import metrics
from darkroom_api.uploads.staging import StagedImage

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class TakenImage:
    """An image as it was sent: what its owner calls it, its bytes, and its own operations, if it has any."""

    name: str
    staged: StagedImage
    pipeline: PipelineData | None = None

    @property
    def error(self) -> str | None:
        return str(self.staged.unfit) if self.staged.unfit else None

    @property
    def code(self) -> ProblemCode | None:
        return self.staged.unfit.code if self.staged.unfit else None


@dataclass(frozen=True, slots=True)
class Submission:
    """A group that someone wants to be made."""

    images: Sequence[TakenImage]
    pipeline: PipelineData
    email: str | None
    notify: bool = False

    def fingerprint(self) -> str:
        """The same for every request that asks for the same."""
        images = [[image.name, image.staged.sha256, image.pipeline] for image in self.images]
        asked = json.dumps([images, self.pipeline, self.email, self.notify])
        return hashlib.sha256(asked.encode()).hexdigest()


def take_in(submission: Submission, *, key: str | None, scope: str) -> Made:
    """Make the group, or find the one that an equal request with the same key made.

    Args:
        submission: what is wanted.
        key: the request's Idempotency-Key.
        scope: whose key that is.

    Raises:
        Problem: no image can be worked on, the key does not allow it, or its owner asked for too many mails.
    """
    _refuse_if_all_are_unfit(submission.images)
    if key is None:
        return _make(submission)
    idempotency = IdempotencyKey(extensions.redis(), scope, key, submission.fingerprint())
    if made := idempotency.claim():
        return made
    with ExitStack() as undo:
        undo.callback(idempotency.free)
        made = _make(submission)
        undo.pop_all()
    idempotency.keep(made)
    return made


def _refuse_if_all_are_unfit(images: Sequence[TakenImage]) -> None:
    unfit = [image.staged.unfit for image in images if image.staged.unfit]
    if len(unfit) == len(images):
        codes = {reason.code for reason in unfit}
        status = 413 if codes == {ProblemCode.IMAGE_TOO_LARGE} else 422
        code = codes.pop() if len(codes) == 1 else ProblemCode.VALIDATION_FAILED
        raise problem_of([(f"images[{index}]", str(reason)) for index, reason in enumerate(unfit)], status, code)


def _make(submission: Submission) -> Made:
    group_id = new_group_id()
    if submission.notify and submission.email:
        extensions.outbox().reserve((Address(submission.email),), notification_request(group_id, 0, client()))
    structlog.contextvars.bind_contextvars(group_id=group_id)
    fit = [index for index, image in enumerate(submission.images) if not image.error]
    with ExitStack() as undo:
        undo.callback(_forget, group_id)
        for index in fit:
            submission.images[index].staged.commit(original_blob(group_id, index))
        published_at = extensions.groups().create(
            group_id,
            [NewImage(image.name, image.pipeline, image.error, image.code) for image in submission.images],
            submission.pipeline,
            email=submission.email,
            notify=submission.notify,
            request_id=current_request_id(),
        )
        messages = (ProcessImage(group_id, index) for index in fit)
        send_all(extensions.celery(), messages, published_at=published_at)
        undo.pop_all()
    metrics.IMAGES_TAKEN.inc(len(fit))
    return Made(group_id, len(submission.images))


def _forget(group_id: str) -> None:
    try:
        extensions.groups().delete(group_id)
    except UNAVAILABLE as error:
        _log.warning("group_not_undone", reason=str(error))
    extensions.storage().delete_all(group_blobs(group_id))
