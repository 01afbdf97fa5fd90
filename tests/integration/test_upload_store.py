"""The records of images that were uploaded ahead, against a real Redis, and what is deleted of them when."""

import time
from pathlib import Path

import pytest
from darkroom_maintenance.deletion import delete_unknown_uploads, drop_uploads
from darkroom_records.blobs import LocalBlobStorage, upload_blob
from darkroom_records.uploads import LEAST_COUNTED, TooManyUploadsError, Upload, UploadStore, erase_uploads
from redis import Redis
from support.redis_keys import lasting_keys, let_uploads_go

ONE, TWO = "a" * 32, "b" * 32
MEGABYTE = 1_000_000
HOUR = 3600


@pytest.fixture
def uploads(redis: Redis) -> UploadStore:
    return UploadStore(redis)


@pytest.fixture
def storage(tmp_path: Path) -> LocalBlobStorage:
    return LocalBlobStorage(tmp_path)


def create(
    uploads: UploadStore,
    image_id: str = ONE,
    *,
    size: int = MEGABYTE,
    owner: str | None = None,
    client: str = "me",
    client_limit: int = 10 * MEGABYTE,
    total_limit: int = 10 * MEGABYTE,
) -> Upload:
    upload = Upload(
        image_id=image_id,
        format="png",
        width=8,
        height=6,
        bytes=size,
        sha256="ab" * 32,
        owner=owner,
        client=client,
        name="a.png",
    )
    uploads.create(upload, keep_for=HOUR, client_limit=client_limit, total_limit=total_limit)
    return upload


def find(uploads: UploadStore, *image_ids: str, owner: str | None = None) -> list[Upload]:
    return list(uploads.find(image_ids, owner=owner, keep_for=HOUR).values())


def test_an_upload_is_found_as_it_was_made_by_its_owner_alone(uploads: UploadStore) -> None:
    one, two = create(uploads, ONE, owner="key:one"), create(uploads, TWO)
    assert find(uploads, ONE, TWO, ONE, "c" * 32, owner="key:one") == [one, two]
    assert find(uploads, ONE, TWO, owner="key:two") == [two]
    assert find(uploads, ONE) == []
    assert find(uploads) == []


def test_an_upload_that_nothing_uses_is_dropped_with_its_bytes(
    redis: Redis, uploads: UploadStore, storage: LocalBlobStorage
) -> None:
    for image_id in (ONE, TWO):
        storage.put(upload_blob(image_id), b"image")
        create(uploads, image_id)
    let_uploads_go(redis, ONE)
    drop_uploads(uploads, storage)
    assert [storage.exists(upload_blob(image_id)) for image_id in (ONE, TWO)] == [False, True]
    assert [upload.image_id for upload in find(uploads, ONE, TWO)] == [TWO]
    assert uploads.due() == []


def test_an_upload_that_is_used_is_kept_for_longer(redis: Redis, uploads: UploadStore) -> None:
    create(uploads)
    let_uploads_go(redis, ONE)
    assert uploads.due() == [ONE]
    assert find(uploads, ONE)
    assert uploads.due() == []
    assert not uploads.drop(ONE), "it was used after it had been found to be due"


def test_a_deletion_that_was_interrupted_is_taken_up_again(
    redis: Redis, uploads: UploadStore, storage: LocalBlobStorage
) -> None:
    storage.put(upload_blob(ONE), b"image")
    create(uploads)
    assert uploads.erase([ONE, TWO]) == [ONE]
    assert find(uploads, ONE) == []
    assert find(uploads, ONE) == [], "who asks for it does not bring it back"
    drop_uploads(uploads, storage)
    assert not storage.exists(upload_blob(ONE))
    assert lasting_keys(redis) == []


def test_erasing_leaves_nothing(redis: Redis, uploads: UploadStore, storage: LocalBlobStorage, tmp_path: Path) -> None:
    storage.put(upload_blob(ONE), b"image")
    create(uploads)
    assert erase_uploads(uploads, storage, [ONE]) == 1
    assert erase_uploads(uploads, storage, [ONE]) == 0
    assert lasting_keys(redis) == []
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_the_bytes_of_a_client_and_of_all_are_limited_until_they_are_dropped(uploads: UploadStore) -> None:
    create(uploads, ONE, client_limit=MEGABYTE)
    with pytest.raises(TooManyUploadsError) as refusal:
        create(uploads, TWO, client_limit=MEGABYTE)
    assert not refusal.value.of_all
    with pytest.raises(TooManyUploadsError) as refusal:
        create(uploads, TWO, client="you", total_limit=MEGABYTE)
    assert refusal.value.of_all
    assert find(uploads, TWO) == []
    uploads.erase([ONE])
    create(uploads, TWO, client_limit=MEGABYTE, total_limit=MEGABYTE)


def test_small_uploads_count_as_more_than_they_are(uploads: UploadStore) -> None:
    create(uploads, ONE, size=1, client_limit=LEAST_COUNTED)
    with pytest.raises(TooManyUploadsError):
        create(uploads, TWO, size=1, client_limit=LEAST_COUNTED)


def test_bytes_that_no_record_knows_of_are_deleted_after_a_day(
    uploads: UploadStore, storage: LocalBlobStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    for image_id in (ONE, TWO):
        storage.put(upload_blob(image_id), b"image")
    create(uploads, TWO)
    delete_unknown_uploads(uploads, storage)
    assert storage.exists(upload_blob(ONE)), "its record may be about to be written"
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 25 * HOUR)
    delete_unknown_uploads(uploads, storage)
    assert [storage.exists(upload_blob(image_id)) for image_id in (ONE, TWO)] == [False, True]
