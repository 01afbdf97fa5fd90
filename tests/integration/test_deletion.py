"""What is deleted at its time, and what is not, though it was about to be."""

import time
from pathlib import Path

import pytest
from darkroom_contracts.problems import ProblemCode
from darkroom_maintenance.deletion import expire, sweep
from darkroom_records.blobs import BlobNotFoundError, LocalBlobStorage, original_blob
from darkroom_records.groups import GroupStore, NewImage, UnknownGroupError
from redis import Redis
from support.attempts import SentTogether
from support.redis_keys import group_record

GROUP = "0123456789abcdef0123456789abcdef"


@pytest.fixture
def storage(tmp_path: Path) -> LocalBlobStorage:
    return LocalBlobStorage(tmp_path)


@pytest.fixture
def ended(groups: GroupStore, storage: LocalBlobStorage) -> str:
    """A group whose only image has failed."""
    groups.create(GROUP, [NewImage("a.png")], [])
    storage.put(original_blob(GROUP, 0), b"original")
    work = groups.begin(GROUP, 0, worker="images@a/1", delivery=0)
    assert work is not None
    groups.fail(work, "Damaged.", ProblemCode.DAMAGED_IMAGE)
    return GROUP


class LateStore(GroupStore):
    """A store whose list of what ended is old by the time it is read: the group was retried meanwhile."""

    def due_to_expire(self, *, now: float, keep_for: float, limit: int = 1000) -> list[str]:
        found = super().due_to_expire(now=now, keep_for=keep_for, limit=limit)
        for group_id in found:
            self.retry(group_id)
        return found


class BrokenStorage(LocalBlobStorage):
    """A storage that fails when something is to be deleted."""

    def delete_all(self, prefix: str) -> None:
        raise OSError(5, "Input/output error", prefix)


def test_a_group_that_ended_long_ago_is_deleted_with_its_blobs(
    redis: Redis, groups: GroupStore, storage: LocalBlobStorage, ended: str, tmp_path: Path
) -> None:
    expire(groups, storage, keep_for=60)
    assert groups.exists(ended)
    expire(groups, storage, keep_for=-60)
    assert not groups.exists(ended)
    assert redis.keys("darkroom:group*") == []
    assert list((tmp_path / "groups").iterdir()) == []


def test_a_group_that_is_retried_while_expired_ones_are_deleted_keeps_everything(
    redis: Redis, storage: LocalBlobStorage, ended: str
) -> None:
    late = LateStore(redis)
    expire(late, storage, keep_for=-60)
    assert not late.read(ended).state.is_final
    assert storage.open(original_blob(ended, 0)).close() is None
    work = late.begin(ended, 0, worker="images@a/1", delivery=0)
    assert work is not None
    late.fail(work, "Damaged.", ProblemCode.DAMAGED_IMAGE)
    finished_at = late.read(ended).finished_at
    assert finished_at is not None
    assert not late.expire(ended, now=finished_at - 1, keep_for=0), "it has ended, but not so long ago"


def test_a_group_that_has_expired_is_not_retried(groups: GroupStore, ended: str) -> None:
    assert groups.expire(ended, now=time.time() + 60, keep_for=0)
    with pytest.raises(UnknownGroupError):
        groups.retry(ended)


def test_a_deletion_that_is_interrupted_is_taken_up_again(
    groups: GroupStore, storage: LocalBlobStorage, ended: str, tmp_path: Path
) -> None:
    with pytest.raises(OSError, match="Input/output"):
        expire(groups, BrokenStorage(tmp_path), keep_for=-60)
    assert not groups.exists(ended)
    assert storage.open(original_blob(ended, 0)).close() is None
    sweep(groups, storage, SentTogether(), patience=30)
    with pytest.raises(BlobNotFoundError):
        storage.open(original_blob(ended, 0))
    assert groups.erased() == []


def test_an_entry_of_a_group_without_a_record_is_cleared_away(
    redis: Redis, groups: GroupStore, storage: LocalBlobStorage, ended: str
) -> None:
    redis.delete(group_record(ended))
    expire(groups, storage, keep_for=-60)
    assert groups.due_to_expire(now=time.time(), keep_for=-60) == []
    assert redis.keys("darkroom:group:*") == []


def test_while_the_storage_is_away_nothing_counts_as_deleted_or_missing(
    groups: GroupStore, storage: LocalBlobStorage, tmp_path: Path
) -> None:
    groups.create(GROUP, [NewImage("a.png")], [], confirmed=False)
    away = LocalBlobStorage(tmp_path / "volume", must_exist=True)
    with pytest.raises(OSError, match="No such file"):
        sweep(groups, away, SentTogether(), patience=-1)
    assert groups.exists(GROUP), "nobody knows whether it was accepted"
    groups.delete(GROUP)
    with pytest.raises(OSError, match="No such file"):
        sweep(groups, away, SentTogether(), patience=-1)
    assert groups.erased() == [GROUP]
    sweep(groups, storage, SentTogether(), patience=-1)
    assert groups.erased() == []
