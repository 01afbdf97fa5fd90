"""Erasing a group: afterwards nothing of it is to be found."""

from contextlib import suppress

import structlog
from darkroom_contracts.ids import celery_id, task_id
from darkroom_contracts.problems import ProblemCode
from darkroom_contracts.queues import Queue
from darkroom_records.blobs import group_blobs
from darkroom_records.groups import Erased, Group, GroupEndedError
from darkroom_records.uploads import delete_upload_blob
from darkroom_runtime.queues import discard_messages
from flask import Response
from flask_openapi import APIBlueprint

from darkroom_api.groups.cancellation import cancel_group
from darkroom_api.groups.responses import DeletionReceipt
from darkroom_api.http.bodies import as_json
from darkroom_api.http.openapi import GROUPS, answers
from darkroom_api.http.parameters import GroupPath
from darkroom_api.http.problems import unavailable
from darkroom_api.services import Services, services

_log = structlog.get_logger(__name__)

blueprint = APIBlueprint("deletion", __name__, abp_tags=[GROUPS])


@blueprint.delete("/groups/<group_id>", operation_id="deleteGroup", responses=answers({200: DeletionReceipt}, 404, 503))
def delete(path: GroupPath) -> Response:
    """Erase a group: its record, originals, results, the uploads that it was made of, and its emails, sent or not.

    Its webhooks go with it, too. What runs is stopped first. What has left the server cannot be called back.
    """
    return as_json(delete_group(services(), path.group_id))


def delete_group(services: Services, group_id: str) -> DeletionReceipt:
    """Erase a group, and say what it was.

    Raises:
        UnknownGroupError: there is no such group.
        Problem: 503 where its files cannot be deleted now. Its record is gone; maintenance deletes them later.
    """
    with suppress(GroupEndedError):
        cancel_group(services, group_id)
    group = services.groups.read(group_id)
    erased = services.groups.delete(group_id) or Erased()
    uploads = services.uploads.erase({image.image_id for image in group.images if image.image_id})
    prefix = celery_id(task_id(group_id, 0)).removesuffix("0")
    discard_messages(services.redis, (Queue.IMAGES, Queue.OUTBOUND), of=prefix)
    try:
        services.storage.delete_all(group_blobs(group_id))
        for image_id in uploads:
            delete_upload_blob(services.uploads, services.storage, image_id)
    except OSError as error:
        _log.warning("blobs_not_deleted", group_id=group_id, reason=str(error))
        raise unavailable(
            "The group was deleted. Its files will be deleted as soon as the storage is available again.",
            ProblemCode.STORAGE_UNAVAILABLE,
        ) from None
    services.groups.blobs_deleted(group_id)
    _log.info("group_deleted", group_id=group_id)
    return _receipt(group, uploads=len(uploads), erased=erased)


def _receipt(group: Group, *, uploads: int, erased: Erased) -> DeletionReceipt:
    return DeletionReceipt(
        group_id=group.group_id,
        images=group.counts.total,
        results=sum(len(image.files) for image in group.images),
        uploads=uploads,
        emails=erased.emails,
        webhooks=erased.webhooks,
    )
