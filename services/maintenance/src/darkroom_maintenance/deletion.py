"""Delete groups that have expired, and complete or undo what was interrupted."""

import time

import structlog
from darkroom_records.blobs import BlobNotFoundError, BlobStorage, accepted_blob, group_blobs, upload_blob
from darkroom_records.groups import GroupStore, SendDated
from darkroom_records.uploads import UploadStore, delete_upload_blob

_UNKNOWN = 24 * 3600
"""Seconds after which blobs are deleted that no record knows of."""

_log = structlog.get_logger(__name__)


def expire(groups: GroupStore, storage: BlobStorage, *, keep_for: float) -> None:
    """Delete the groups whose results were kept for long enough, and blobs of groups that were unknown for a day.

    Args:
        groups: the records.
        storage: where the blobs are.
        keep_for: seconds for which results are kept where a group does not say so itself.
    """
    now = time.time()
    for group_id in groups.due_to_expire(now=now, keep_for=keep_for):
        if groups.expire(group_id, now=now, keep_for=keep_for):  # looked at again: it may have been retried meanwhile
            _delete_blobs(groups, storage, group_id)
            _log.info("group_expired", group_id=group_id)
    for group_id in storage.groups_older_than(_UNKNOWN):
        if not groups.exists(group_id):
            storage.delete_all(group_blobs(group_id))


def sweep(groups: GroupStore, storage: BlobStorage, send_all: SendDated, *, patience: float) -> None:
    """Complete or undo what was interrupted.

    An unfinished group whose client was told that it is accepted is confirmed; any other is deleted.

    Args:
        groups: the records.
        storage: where the blobs are.
        send_all: sends the messages of images whose turn it is.
        patience: seconds after which an intake that was begun counts as interrupted.
    """
    for group_id in groups.unfinished():
        if _is_accepted(storage, group_id):
            if turns := groups.confirm(group_id):
                turns.send(send_all)
            _log.warning("group_confirmed_late", group_id=group_id)
        elif groups.abandon(group_id, patience=patience):
            _log.warning("group_abandoned", group_id=group_id)
    for group_id in groups.erased():
        _delete_blobs(groups, storage, group_id)
    storage.discard_unfinished(idle=patience)


def drop_uploads(uploads: UploadStore, storage: BlobStorage) -> None:
    """Delete the uploads that nothing has used for long enough, and what is left of those that were erased."""
    for image_id in uploads.due():
        if uploads.drop(image_id):  # looked at again: it may have been used meanwhile
            delete_upload_blob(uploads, storage, image_id)
            _log.info("upload_dropped", image_id=image_id)


def delete_unknown_uploads(uploads: UploadStore, storage: BlobStorage) -> None:
    """Delete blobs of uploads that were unknown for a day: their records were lost, with Redis's disk for example."""
    for image_id in storage.uploads_older_than(_UNKNOWN):
        if not uploads.exists(image_id):
            storage.delete(upload_blob(image_id))


def _is_accepted(storage: BlobStorage, group_id: str) -> bool:
    try:
        storage.open(accepted_blob(group_id)).close()
    except BlobNotFoundError:
        return False
    return True


def _delete_blobs(groups: GroupStore, storage: BlobStorage, group_id: str) -> None:
    storage.delete_all(group_blobs(group_id))
    groups.blobs_deleted(group_id)  # not before: a deletion that is interrupted is taken up again
