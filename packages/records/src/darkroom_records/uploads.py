"""Images that were uploaded ahead: what is known of each, whose it is, and until when it is kept.

A record is written before its blob is stored, and forgotten before that is deleted, so that no blob is left behind that
nobody knows of: whatever is interrupted, the upload stays listed until its blob is gone.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import cast

from redis import Redis

from darkroom_records import _keys as keys
from darkroom_records.blobs import BlobStorage, upload_blob
from darkroom_records.steps import Step

LEAST_COUNTED = 64 * 1024
"""Bytes that even a smaller upload counts as: its record takes room, too."""


class TooManyUploadsError(RuntimeError):
    """The bytes of the uploads of one client, or of all, would be too many."""

    def __init__(self, *, of_all: bool) -> None:
        super().__init__("There are too many bytes of uploads.")
        self.of_all = of_all


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """An image that was uploaded ahead.

    Args:
        image_id: unguessable.
        format: of the file.
        width: in pixels.
        height: in pixels.
        bytes: of the file.
        sha256: the digest of the file.
        owner: whose it is; None where whoever knows its id may use it.
        client: whose bytes it counts among.
        name: the file name its owner gave it, for people.
    """

    image_id: str
    format: str
    width: int
    height: int
    bytes: int
    sha256: str
    owner: str | None = None
    client: str = ""
    name: str | None = None

    def may_be_used_by(self, owner: str | None) -> bool:
        """Whether it is this owner's, or everybody's."""
        return self.owner in (None, owner)

    @property
    def counted(self) -> int:
        """The bytes that it counts as."""
        return max(self.bytes, LEAST_COUNTED)

    def to_json(self) -> str:
        members = {name: value for name, value in asdict(self).items() if name != "image_id" and value is not None}
        return json.dumps(members | {"counted": self.counted})

    @classmethod
    def from_json(cls, image_id: str, text: str) -> "Upload":
        """The upload that was written down, by this version or by one that had other members."""
        members = {name: value for name, value in json.loads(text).items() if name in _MEMBERS}
        return cls(image_id=image_id, **members)


_MEMBERS = frozenset(field.name for field in fields(Upload))


class UploadStore:
    """Reads and changes the records of uploads. Safe to share between threads."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._create = Step(redis, "darkroom_records", "create_upload")
        self._keep = Step(redis, "darkroom_records", "keep_uploads")
        self._drop = Step(redis, "darkroom_records", "drop_upload")

    def create(self, upload: Upload, *, keep_for: float, client_limit: int, total_limit: int) -> None:
        """Write an upload down, whose blob is to be stored next.

        Args:
            upload: a new one.
            keep_for: seconds after which it is dropped where nothing uses it.
            client_limit: bytes that the uploads of one client may have.
            total_limit: bytes that all uploads may have.

        Raises:
            TooManyUploadsError: they would be more. Nothing was written.
        """
        refused = self._create(
            _keys_of(upload.image_id),
            [
                upload.image_id,
                upload.to_json(),
                keep_for,
                upload.client,
                upload.counted,
                client_limit,
                total_limit,
            ],
        )
        if refused:
            raise TooManyUploadsError(of_all=refused == "all")

    def find(self, image_ids: Iterable[str], *, owner: str | None, keep_for: float) -> Mapping[str, Upload]:
        """The uploads of these ids that this owner may use, each kept for as many seconds from now at least.

        Their number does not matter much: all are found in two round trips.
        """
        wanted = list(dict.fromkeys(image_ids))
        if not wanted:
            return {}
        self._keep([keys.UPLOADS], [keep_for, *wanted])  # first: what is found then is there for as long
        found = cast("list[str | None]", self._redis.mget([keys.upload_record(image_id) for image_id in wanted]))
        uploads = [Upload.from_json(image_id, text) for image_id, text in zip(wanted, found, strict=True) if text]
        return {upload.image_id: upload for upload in uploads if upload.may_be_used_by(owner)}

    def read(self, image_id: str) -> Upload | None:
        """The upload of this id, whoever asks. None where there is none."""
        text = cast("str | None", self._redis.get(keys.upload_record(image_id)))
        return None if text is None else Upload.from_json(image_id, text)

    def due(self, *, limit: int = 1000) -> list[str]:
        """The ids of uploads that are to be dropped now, and of those whose blobs are still to be deleted."""
        now = self._redis.time()[0]
        found = self._redis.zrange(keys.UPLOADS, "-inf", now, byscore=True, offset=0, num=limit)
        return cast("list[str]", found)

    def drop(self, image_id: str) -> bool:
        """Forget an upload if it still stands as one to be dropped. Its blob is to be deleted next, if so."""
        return bool(self._drop(_keys_of(image_id), [image_id, 1]))

    def erase(self, image_ids: Iterable[str]) -> list[str]:
        """Forget uploads, used or not. Gives the ids of those whose blobs are to be deleted next."""
        return [image_id for image_id in image_ids if self._drop(_keys_of(image_id), [image_id, 0])]

    def blob_deleted(self, image_id: str) -> None:
        """Note that nothing is left of an upload that was dropped or erased."""
        self._redis.zrem(keys.UPLOADS, image_id)

    def exists(self, image_id: str) -> bool:
        """Whether there is an upload of this id."""
        return bool(self._redis.exists(keys.upload_record(image_id)))


def erase_uploads(uploads: UploadStore, storage: BlobStorage, image_ids: Sequence[str]) -> int:
    """Erase uploads with their bytes, and say how many there were. What cannot be deleted now, the sweep deletes."""
    erased = uploads.erase(image_ids)
    for image_id in erased:
        delete_upload_blob(uploads, storage, image_id)
    return len(erased)


def delete_upload_blob(uploads: UploadStore, storage: BlobStorage, image_id: str) -> None:
    """Delete the bytes of an upload whose record is gone, and then note so."""
    storage.delete(upload_blob(image_id))
    uploads.blob_deleted(image_id)


def _keys_of(image_id: str) -> list[str]:
    return [keys.upload_record(image_id), keys.UPLOADS, keys.UPLOAD_BYTES]
