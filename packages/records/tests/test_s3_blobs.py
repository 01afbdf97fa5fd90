"""What a bucket promises beside what every blob storage does."""

import errno
import ssl
import subprocess
import sys
import threading
from pathlib import Path

import pytest
import trustme
from darkroom_local import ports
from darkroom_records.aws_settings import AwsSettings
from darkroom_records.blobs import BlobNotFoundError
from darkroom_records.s3_blobs import S3BlobStorage
from darkroom_records.s3_location import S3Location
from pydantic import SecretStr
from support.broken_s3 import BrokenS3
from support.free_ports import free_port
from support.s3_server import KEYS, S3Server

LARGE = b"0123456789" * 2_000_000
CREDENTIALS = AwsSettings(access_key_id="tests", secret_access_key=SecretStr("no secret"))


def storage_at(url: str, folder: Path, aws: AwsSettings = CREDENTIALS) -> S3BlobStorage:
    return S3BlobStorage(S3Location.of(url), folder, aws)


def test_keys_stand_below_the_prefix(s3_server: S3Server, tmp_path: Path) -> None:
    bucket = s3_server.make_bucket()
    storage_at(s3_server.setting(bucket, "a/b"), tmp_path).put("groups/0f/in/0", b"bytes")
    storage_at(s3_server.setting(bucket, ""), tmp_path).put("groups/0f/in/0", b"bytes")
    assert s3_server.keys(bucket) == ["a/b/groups/0f/in/0", "groups/0f/in/0"]


def test_a_group_is_listed_and_deleted_whole_however_few_blobs_the_server_lists_at_once(
    s3_server: S3Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("darkroom_records.s3_blobs._LISTED", 2)
    bucket = s3_server.make_bucket()
    storage = storage_at(s3_server.setting(bucket), tmp_path)
    for index in range(5):
        storage.put(f"groups/a/in/{index}", b"")
    storage.put("groups/b/in/0", b"")
    assert list(storage.groups_older_than(-1)) == ["a", "b"]
    storage.delete_all("groups/a/")
    assert s3_server.keys(bucket) == ["darkroom/groups/b/in/0"]


def test_a_missing_bucket_is_no_missing_blob(s3_server: S3Server, tmp_path: Path) -> None:
    storage = storage_at(s3_server.setting("no-such-bucket"), tmp_path)
    for use in (
        lambda: storage.open("a/1"),
        lambda: storage.exists("a/1"),
        lambda: storage.link("a/1", "a/2"),
        lambda: storage.delete("a/1"),
        lambda: storage.delete_all("a/"),
        lambda: storage.put("a/1", b""),
        lambda: list(storage.groups_older_than(0)),
        storage.check,
    ):
        with pytest.raises(OSError, match="The bucket no-such-bucket does not exist"):
            use()


@pytest.mark.parametrize(
    ("status", "code", "number", "sentence"),
    [
        (403, "AccessDenied", errno.EACCES, "denied access"),
        (403, "InvalidAccessKeyId", errno.EACCES, "denied access"),
        (507, "XMinioStorageFull", errno.ENOSPC, "is full"),
        (400, "EntityTooLarge", errno.EIO, "failed: 400, EntityTooLarge"),
        (503, "SlowDown", errno.EIO, "failed: 503"),
    ],
)
def test_a_server_that_refuses_is_an_error_of_the_system_with_a_sentence(
    status: int, code: str, number: int, sentence: str, tmp_path: Path
) -> None:
    with BrokenS3(status, code) as server:
        storage = storage_at(f"s3://bucket?endpoint={server.url}", tmp_path)
        for use in (storage.check, lambda: storage.open("a/1"), lambda: storage.link("a/1", "a/2")):
            with pytest.raises(OSError, match=sentence) as caught:
                use()
            assert caught.value.errno == number


def test_a_server_that_is_away_is_an_error_of_the_system(tmp_path: Path) -> None:
    storage = storage_at(f"s3://bucket?endpoint=http://{ports.HOST}:{free_port()}", tmp_path)
    with pytest.raises(OSError, match="The server of bucket bucket does not answer") as caught:
        storage.open("a/1")
    assert caught.value.errno == errno.EHOSTUNREACH


def test_a_server_with_a_certificate_of_ones_own_is_trusted_where_a_setting_names_its_authority(
    s3_server: S3Server, tmp_path: Path
) -> None:
    authority, context = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    trusting = CREDENTIALS.model_copy(update={"ca_bundle": tmp_path / "ca.pem"})
    mistaken = CREDENTIALS.model_copy(update={"ca_bundle": tmp_path / "missing.pem"})
    with BrokenS3(0, "", before=s3_server.url, tls=context) as server:
        server.is_well = True
        url = f"s3://{s3_server.make_bucket()}?endpoint={server.url}"
        storage_at(url, tmp_path, trusting).check()
        with pytest.raises(OSError, match="does not answer"):
            storage_at(url, tmp_path).check()
        with pytest.raises(OSError, match="AWS_CA_BUNDLE cannot be read: No such file"):
            storage_at(url, tmp_path, mistaken).open("a/1")


def test_an_upload_that_cannot_be_completed_is_withdrawn(s3_server: S3Server, tmp_path: Path) -> None:
    bucket = s3_server.make_bucket()
    with BrokenS3(400, "EntityTooLarge", before=s3_server.url, refused="partNumber=2") as server:
        storage = storage_at(f"s3://{bucket}?endpoint={server.url}", tmp_path)
        writer = storage.writer()
        writer.write(LARGE)
        with pytest.raises(OSError, match="EntityTooLarge"):
            writer.commit("a/1")
        writer.discard()
        assert server.withdrawn
    assert s3_server.keys(bucket) == s3_server.unfinished(bucket) == []
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_a_blob_that_is_replaced_while_it_is_read_is_not_mixed_with_the_other(
    s3_server: S3Server, tmp_path: Path
) -> None:
    storage = storage_at(s3_server.setting(s3_server.make_bucket()), tmp_path)
    storage.put("a/1", LARGE)
    with storage.open("a/1") as blob:
        storage.put("a/1", bytes(len(LARGE)))
        with pytest.raises(OSError, match="was replaced while it was read"):
            blob.read()


def test_a_blob_that_is_deleted_while_it_is_read_is_gone(s3_server: S3Server, tmp_path: Path) -> None:
    storage = storage_at(s3_server.setting(s3_server.make_bucket()), tmp_path)
    storage.put("a/1", LARGE)
    with storage.open("a/1") as blob:
        storage.delete("a/1")
        with pytest.raises(BlobNotFoundError):
            blob.read()


def test_blobs_of_a_group_are_stored_at_the_same_time(s3_server: S3Server, tmp_path: Path) -> None:
    met = threading.Barrier(8, timeout=10)
    storage_at(s3_server.setting(s3_server.make_bucket()), tmp_path).run_all([met.wait] * 8)  # type: ignore[list-item]


_FORKED = """
import os, sys
from pathlib import Path
from darkroom_records.storage import StorageSettings, make_storage
storage = make_storage(StorageSettings())
children = []
for number in range(2):
    child = os.fork()
    if not child:
        storage.put(f"a/{number}", b"of a child")
        os._exit(0)
    children.append(child)
print([os.waitpid(child, 0)[1] for child in children], storage.exists("a/0"), storage.exists("a/1"))
"""


def test_processes_that_are_forked_before_its_first_use_each_open_it(s3_server: S3Server, tmp_path: Path) -> None:
    settings = {"DARKROOM_STORAGE_URL": s3_server.setting(s3_server.make_bucket()), **KEYS}
    ran = subprocess.run(
        [sys.executable, "-c", _FORKED],
        env=settings,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert ran.stdout == "[0, 0] True True\n"


def test_what_a_killed_process_was_sending_is_discarded_by_the_next_one_on_its_machine(
    s3_server: S3Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    abandoned = tmp_path / "incoming" / "0f" / "1"
    abandoned.parent.mkdir(parents=True)
    abandoned.write_bytes(b"half of an image")
    monkeypatch.setattr("darkroom_records.s3_blobs._ABANDONED", -1)
    storage_at(s3_server.setting(s3_server.make_bucket()), tmp_path).writer().discard()
    assert not abandoned.exists()
