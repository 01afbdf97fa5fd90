"""Blob storage in a bucket of S3, or of a server that speaks as S3 does."""

import errno
import io
import re
import secrets
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final

import obstore
from obstore.exceptions import BaseError, PermissionDeniedError, PreconditionError, UnauthenticatedError
from obstore.store import S3Store

from darkroom_records.aws_settings import AwsSettings
from darkroom_records.blobs import BlobNotFoundError, LocalBlobWriter, check_key
from darkroom_records.incoming import Incoming
from darkroom_records.s3_location import S3Location
from darkroom_records.s3_signing import signed_url

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer
    from obstore import GetOptions
    from obstore.store import ClientConfig, RetryConfig

_PART: Final = 5 * 1024 * 1024
"""Bytes of one part of an upload. S3 takes 10,000 parts, and none but the last may be smaller."""
_PARTS_AT_ONCE: Final = 2
_FIRST_READ: Final = 1024 * 1024
"""Bytes that are fetched when a blob is opened: all of most images."""
_LATER_READ: Final = 8 * 1024 * 1024
_STORED_AT_ONCE: Final = 16
"""Blobs of one group that are stored at the same time: each takes a server some ten milliseconds."""
_LISTED: Final = 1000
"""Keys that the server lists, or deletes, at a time."""
_ABANDONED: Final = 60.0
"""Seconds after which a file is deleted that a process of this machine had begun before it ended."""

_STATUS: Final = re.compile(r"status code: (\d{3})")
_CODE: Final = re.compile(r"<Code>(\w+)</Code>")
_FULL: Final = frozenset({"507", "InsufficientStorage", "QuotaExceeded", "StorageFull", "XMinioStorageFull"})
_DENIED: Final = frozenset({"401", "403"})


class S3BlobStorage:
    """Blobs as objects of one bucket, below one prefix.

    Args:
        location: the bucket.
        folder: for blobs under way. It is this machine's own, and made when the first one is begun.
        aws: what the bucket is opened with.
    """

    def __init__(self, location: S3Location, folder: Path, aws: AwsSettings) -> None:
        self._location = location
        self._aws = aws
        self._incoming = Incoming(folder / "incoming")
        self._is_tidy = False
        self._opening = threading.Lock()
        self._opened: S3Store | None = None

    def writer(self) -> LocalBlobWriter:
        if not self._is_tidy:  # nobody on another machine can tidy up here
            self._is_tidy = True
            self._incoming.discard_abandoned(idle=_ABANDONED)
        return LocalBlobWriter(self._incoming.new_file(), self._send_file)

    def put(self, key: str, data: bytes) -> None:
        self._upload(key, data)

    def open(self, key: str) -> BinaryIO:
        return io.BufferedReader(_Reader(self, key))

    def exists(self, key: str) -> bool:
        try:
            with self._failures(key):
                obstore.head(self._store, check_key(key))
        except BlobNotFoundError:
            with suppress(BlobNotFoundError):
                self.read(key, 0, 1)  # which tells a missing bucket from a missing blob
            return False
        return True

    def link(self, source: str, target: str) -> None:
        with self._failures(source):
            obstore.copy(self._store, check_key(source), check_key(target))

    def delete(self, key: str) -> None:
        with suppress(BlobNotFoundError), self._failures(key):
            obstore.delete(self._store, check_key(key))

    def delete_all(self, prefix: str) -> None:
        with self._failures(prefix):
            for found in obstore.list(self._store, check_key(prefix.removesuffix("/")), chunk_size=_LISTED):
                obstore.delete(self._store, [blob["path"] for blob in found])

    def groups_older_than(self, seconds: float) -> Iterator[str]:
        return self._older_than("groups", seconds)

    def uploads_older_than(self, seconds: float) -> Iterator[str]:
        return self._older_than("uploads", seconds)

    def _older_than(self, folder: str, seconds: float) -> Iterator[str]:
        current, newest = "", datetime.now(UTC)  # a group or an upload, and when its newest blob was stored
        with self._failures(folder):
            for found in obstore.list(self._store, folder, chunk_size=_LISTED):  # by key: a group's stand together
                for blob in found:
                    name = blob["path"].split("/")[1]
                    if name == current:
                        newest = max(newest, blob["last_modified"])
                        continue
                    if current and _age(newest) > seconds:
                        yield current
                    current, newest = name, blob["last_modified"]
        if current and _age(newest) > seconds:
            yield current

    def discard_unfinished(self, *, idle: float) -> None:
        # The parts of an upload whose process was killed are for a rule of the bucket's: see docs/scaling.md.
        self._incoming.discard_abandoned(idle=idle)

    def run_all(self, steps: Iterable[Callable[[], None]]) -> None:
        waiting = list(steps)
        with ThreadPoolExecutor(max(1, min(len(waiting), _STORED_AT_ONCE)), thread_name_prefix="blobs") as pool:
            futures = [pool.submit(step) for step in waiting]
            try:
                for future in futures:
                    future.result()
            finally:
                pool.shutdown(cancel_futures=True)

    def check(self) -> None:
        probe = f"checks/{secrets.token_hex(8)}"
        self.put(probe, b"ok")
        self.delete(probe)

    def direct_url(self, key: str, *, headers: dict[str, str], seconds: int) -> str | None:
        answer = {f"response-{name.lower()}": value for name, value in headers.items()}
        return signed_url(
            self._location, self._aws, check_key(key), query=answer, seconds=seconds, now=datetime.now(UTC)
        )

    def read(self, key: str, start: int, end: int | None, *, etag: str | None = None) -> "Piece":
        """Return a piece of a blob, and how many bytes it has in all.

        Args:
            key: its key.
            start: the first byte.
            end: the first that is not wanted; the blob may end before.
            etag: of the blob that has been read from; the bytes of no other are wanted.

        Raises:
            BlobNotFoundError: there is none.
        """
        options: GetOptions = {"range": {"offset": start} if end is None else (start, end)}
        if etag is not None:
            options["if_match"] = etag
        with self._failures(key):
            try:
                found = obstore.get(self._store, check_key(key), options=options)
            except BaseError as error:
                if start or "416" not in _said(error):
                    raise
                found = obstore.get(self._store, key)  # an empty one, of which there is no part
            return Piece(bytes(found.bytes()), found.meta["size"], found.meta["e_tag"])

    def _send_file(self, file: Path, key: str) -> None:
        self._upload(key, file)
        file.unlink()

    def _upload(self, key: str, source: bytes | Path) -> None:
        """Store the bytes, or those of the file: in parts where they are many, and seen once all are there."""
        with self._failures(None):
            obstore.put(self._store, check_key(key), source, chunk_size=_PART, max_concurrency=_PARTS_AT_ONCE)

    @property
    def _store(self) -> S3Store:
        """The open bucket. Each process opens it for itself: used before a fork, the library hangs after it."""
        with self._opening:
            if self._opened is None:
                self._opened = _open(self._location, self._aws)
            return self._opened

    @contextmanager
    def _failures(self, key: str | None) -> Iterator[None]:
        """Turn what the library raises into an ``OSError`` with a sentence, or into what says that there is no blob."""
        bucket = self._location.bucket
        try:
            yield
        except PreconditionError as error:
            raise OSError(errno.ESTALE, f"The blob {key} was replaced while it was read") from error
        except (BaseError, FileNotFoundError) as error:
            said = _said(error)
            if "NoSuchBucket" in said:
                raise OSError(errno.ENODEV, f"The bucket {bucket} does not exist") from error
            if isinstance(error, FileNotFoundError) and key is not None:
                raise BlobNotFoundError(f"There is no blob under {key}.") from None
            if said & _FULL:
                raise OSError(errno.ENOSPC, f"The bucket {bucket} is full") from error
            if said & _DENIED or isinstance(error, PermissionDeniedError | UnauthenticatedError):
                raise OSError(errno.EACCES, f"The bucket {bucket} denied access; check its credentials") from error
            if said:
                raise OSError(errno.EIO, f"The server of bucket {bucket} failed: {', '.join(sorted(said))}") from error
            raise OSError(errno.EHOSTUNREACH, f"The server of bucket {bucket} does not answer") from error


@dataclass(frozen=True, slots=True)
class Piece:
    """Some bytes of a blob.

    Args:
        data: the bytes.
        size: how many bytes the blob has.
        etag: what tells it from another one that takes its place.
    """

    data: bytes
    size: int
    etag: str | None


class _Reader(io.RawIOBase):
    """A blob as a file: its beginning is fetched at once, and the rest in large pieces where it is read."""

    def __init__(self, storage: S3BlobStorage, key: str) -> None:
        super().__init__()
        self._storage = storage
        self._key = key
        self._at = 0
        self._start = 0
        """Where the piece at hand begins."""
        self._piece = storage.read(key, 0, _FIRST_READ)

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._piece.size}[whence]
        if base + offset < 0:
            raise OSError(errno.EINVAL, "A file has no bytes before its first")
        self._at = base + offset
        return self._at

    def tell(self) -> int:
        return self._at

    def readinto(self, buffer: "WriteableBuffer", /) -> int:
        view = memoryview(buffer).cast("B")
        data = self._bytes(min(self._at + _LATER_READ, self._piece.size))[: len(view)]
        view[: len(data)] = data
        self._at += len(data)
        return len(data)

    def readall(self) -> bytes:
        parts = []
        while data := self._bytes(None):
            parts.append(data)
            self._at += len(data)
        return b"".join(parts)

    def close(self) -> None:
        self._piece = Piece(b"", self._piece.size, self._piece.etag)
        super().close()

    def _bytes(self, end: int | None) -> "bytes | memoryview":
        """The bytes at hand from here on. Where there are none, those up to the end that is given are fetched."""
        if self._at >= self._piece.size:
            return b""
        if not self._start <= self._at < self._start + len(self._piece.data):
            self._piece = self._storage.read(self._key, self._at, end, etag=self._piece.etag)
            self._start = self._at
        return memoryview(self._piece.data)[self._at - self._start :]


def _open(location: S3Location, aws: AwsSettings) -> S3Store:
    client: ClientConfig = {
        "allow_http": (location.endpoint or "").startswith("http:"),
        "connect_timeout": "5s",
        "timeout": "60s",
    }
    if aws.ca_bundle is not None:
        try:
            client["root_certificate"] = aws.ca_bundle.read_bytes()
        except OSError as error:
            raise OSError(errno.EIO, f"The file of AWS_CA_BUNDLE cannot be read: {error.strerror}") from error
    retries: RetryConfig = {
        "max_retries": 3,
        "retry_timeout": timedelta(seconds=15),
        "backoff": {"init_backoff": timedelta(milliseconds=200), "max_backoff": timedelta(seconds=3), "base": 2},
    }
    given = {
        "endpoint": location.endpoint,
        "region": location.region,
        "access_key_id": aws.access_key_id,
        "secret_access_key": aws.secret_access_key and aws.secret_access_key.get_secret_value(),
        "session_token": aws.session_token and aws.session_token.get_secret_value(),
    }
    return S3Store(
        location.bucket,
        prefix=location.prefix or None,
        config={name: value for name, value in given.items() if value},  # type: ignore[arg-type]  # all are strings
        virtual_hosted_style_request=location.virtual,
        client_options=client,
        retry_config=retries,
    )


def _said(error: Exception) -> set[str]:
    """The status and the code of the server's answer; neither, where there was no answer."""
    text = str(error)
    return {match[1] for pattern in (_STATUS, _CODE) if (match := pattern.search(text))}


def _age(stored: datetime) -> float:
    return (datetime.now(UTC) - stored).total_seconds()
