"""Blob storage: where the bytes of images are kept. Messages and records carry only the keys."""

import os
import re
import secrets
import shutil
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, Protocol

from darkroom_records.incoming import Incoming
from darkroom_records.syncing import Syncing

_KEY = re.compile(r"[a-z0-9-]+(/[a-z0-9-]+)*")


def group_blobs(group_id: str) -> str:
    """Blob prefix under which everything of a group is kept."""
    return f"groups/{group_id}/"


def accepted_blob(group_id: str) -> str:
    """Blob key of a mark: the group was accepted, though Redis could not be told so."""
    return f"groups/{group_id}/accepted"


def original_blob(group_id: str, index: int) -> str:
    """Blob key of an image as it was taken in."""
    return f"groups/{group_id}/in/{index}"


def result_blob(group_id: str, index: int, output: str = "") -> str:
    """Blob key of an image's result, or of the one of its results that has this name."""
    return f"groups/{group_id}/out/{output}/{index}" if output else f"groups/{group_id}/out/{index}"


def overlay_blob(group_id: str, image_id: str) -> str:
    """Blob key of an upload that watermarks of this group show."""
    return f"groups/{group_id}/overlays/{image_id}"


def upload_blob(image_id: str) -> str:
    """Blob key of an image that was uploaded ahead."""
    return f"uploads/{image_id}"


class BlobNotFoundError(LookupError):
    """There is no blob under this key."""


class BlobWriter(Protocol):
    """A blob under way. Nobody sees it until it is committed, and then it is there as a whole."""

    def write(self, data: bytes, /) -> int:
        """Add bytes to the end."""

    def read_back(self) -> BinaryIO:
        """What was written, as a readable, seekable file. Nothing can be written after that."""

    def commit(self, key: str) -> None:
        """Make it the blob under this key, in place of any other."""

    def discard(self) -> None:
        """Forget it. Does nothing once it was committed or discarded."""


class BlobStorage(Protocol):
    """Bytes under keys such as ``groups/0f.../in/3``. Any number of processes may share one storage."""

    def writer(self) -> BlobWriter:
        """Begin a blob whose bytes arrive piece by piece."""

    def put(self, key: str, data: bytes) -> None:
        """Store the bytes under the key, in place of any others."""

    def open(self, key: str) -> BinaryIO:
        """The blob as a readable, seekable file.

        Raises:
            BlobNotFoundError: there is none.
        """

    def exists(self, key: str) -> bool:
        """Whether there is a blob under this key."""

    def link(self, source: str, target: str) -> None:
        """Make the bytes under one key available under another as well, without sending them anywhere again.

        Either key can be deleted, or given other bytes, without a change to the other.

        Raises:
            BlobNotFoundError: there is no blob under the first key.
        """

    def delete(self, key: str) -> None:
        """Delete a blob. Does nothing where there is none."""

    def delete_all(self, prefix: str) -> None:
        """Delete every blob whose key begins with the prefix, which ends in a slash."""

    def groups_older_than(self, seconds: float) -> Iterator[str]:
        """The ids under ``groups/`` that nothing was added to for so long."""

    def uploads_older_than(self, seconds: float) -> Iterator[str]:
        """The ids under ``uploads/`` that were stored so long ago."""

    def discard_unfinished(self, *, idle: float) -> None:
        """Discard blobs that were begun and not committed, whose writer is gone, and was silent for so many seconds."""

    def direct_url(self, key: str, *, headers: dict[str, str], seconds: int) -> str | None:
        """Return an address at which anybody can fetch the blob for so many seconds, past this service.

        Args:
            key: of the blob; whether there is one is not looked at.
            headers: what is answered there, such as its ``Content-Type``.
            seconds: until the address expires.

        Returns:
            The address, or None where the storage has none to give.
        """

    def run_all(self, steps: Iterable[Callable[[], None]]) -> None:
        """Take steps of which each stores a blob, as many at the same time as pays off.

        Raises:
            Exception: what the first step that failed has raised. None is under way any more.
        """

    def check(self) -> None:
        """Store and delete a blob.

        Raises:
            OSError: the storage cannot take blobs now; the message says why.
        """


class LocalBlobStorage:
    """Blobs as files below one folder, which may be a volume that several containers share.

    Args:
        root: the folder.
        must_exist: for who only ever works on what others have stored. A folder that is missing or empty is then a
            storage that is away (a volume not mounted), and neither made anew nor taken for one without this blob.
        strict: whether each blob is on the disk, not only in the system's memory, before its storing has ended.
    """

    def __init__(self, root: Path, *, must_exist: bool = False, strict: bool = False) -> None:
        self._root = root
        self._must_exist = must_exist
        self._incoming = Incoming(root / "incoming", must_exist=must_exist)
        self._syncing = Syncing() if strict else None

    def writer(self) -> "LocalBlobWriter":
        return LocalBlobWriter(self._incoming.new_file(), self._keep)

    def put(self, key: str, data: bytes) -> None:
        writer = self.writer()
        try:
            writer.write(data)
            writer.commit(key)
        finally:
            writer.discard()

    def open(self, key: str) -> BinaryIO:
        try:
            return self._path(key).open("rb")
        except FileNotFoundError as error:
            raise self._missing(key, error) from None

    def exists(self, key: str) -> bool:
        try:
            self._path(key).stat()
        except FileNotFoundError as error:
            missing = self._missing(key, error)
            if isinstance(missing, BlobNotFoundError):
                return False
            raise missing from None
        return True

    def link(self, source: str, target: str) -> None:
        if self._link_at_once(source, target):
            if self._syncing is not None:
                self._syncing.names_in(self._path(target).parent)
            return
        fresh = self._incoming.new_file()
        try:
            try:
                fresh.hardlink_to(self._path(source))
            except FileNotFoundError as error:
                raise self._missing(source, error) from None
            except OSError:  # a file system without links, or one that takes no more of them to this file
                with self.open(source) as original, fresh.open("xb") as copy:
                    shutil.copyfileobj(original, copy)
            self._keep(fresh, target)
        finally:
            fresh.unlink(missing_ok=True)  # it is still there where both keys had the same bytes before

    def delete(self, key: str) -> None:
        self._check_is_there()
        self._path(key).unlink(missing_ok=True)

    def delete_all(self, prefix: str) -> None:
        self._check_is_there()
        with suppress(FileNotFoundError):
            shutil.rmtree(self._path(prefix.removesuffix("/")))

    def groups_older_than(self, seconds: float) -> Iterator[str]:
        return (folder.name for folder in _older_than(self._root / "groups", seconds))

    def uploads_older_than(self, seconds: float) -> Iterator[str]:
        return (file.name for file in _older_than(self._root / "uploads", seconds))

    def discard_unfinished(self, *, idle: float) -> None:
        self._incoming.discard_abandoned(idle=idle)

    def direct_url(self, key: str, *, headers: dict[str, str], seconds: int) -> str | None:  # noqa: ARG002
        return None

    def run_all(self, steps: Iterable[Callable[[], None]]) -> None:
        if self._syncing is not None:
            self._syncing.run_all(steps)
            return
        for step in steps:  # a file is renamed faster than a thread is woken
            step()

    def check(self) -> None:
        probe = f"checks/{secrets.token_hex(8)}"
        self.put(probe, b"ok")
        self._path(probe).unlink()

    def _link_at_once(self, source: str, target: str) -> bool:
        """Whether it was done in one step, without an object for a path: a group may have a thousand such images."""
        try:
            os.link(f"{self._root}/{check_key(source)}", f"{self._root}/{check_key(target)}")
        except OSError:  # what stands in its way is seen to by who asked
            return False
        return True

    def _check_is_there(self) -> None:
        if self._must_exist:
            self._root.stat()  # else what lies in a storage that is away would count as deleted

    def _missing(self, key: str, error: FileNotFoundError) -> Exception:
        if self._must_exist and not self._incoming.exists():  # which is made before the first blob
            return error
        return BlobNotFoundError(f"There is no blob under {key}.")

    def _keep(self, file: Path, key: str) -> None:
        path = self._path(key)
        if self._syncing is not None:
            self._syncing.move(file, path)
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        file.replace(path)  # in one atomic step

    def _path(self, key: str) -> Path:
        return self._root / check_key(key)


class LocalBlobWriter:
    """A file of this machine that is kept, once it is complete, in the way of its storage.

    Args:
        path: of the file, which is made.
        keep: moves it to where the blob of a key is kept.
    """

    def __init__(self, path: Path, keep: Callable[[Path, str], None]) -> None:
        self._path = path
        self._keep = keep
        self._file = path.open("xb")

    def write(self, data: bytes, /) -> int:
        return self._file.write(data)

    def read_back(self) -> BinaryIO:
        self._file.close()
        return self._path.open("rb")

    def commit(self, key: str) -> None:
        self._file.close()
        self._keep(self._path, key)

    def discard(self) -> None:
        self._file.close()
        self._path.unlink(missing_ok=True)


def check_key(key: str) -> str:
    """Return the key, which leads nowhere but into the storage.

    Raises:
        ValueError: it is no key of a blob.
    """
    if not _KEY.fullmatch(key):
        raise ValueError(f"{key!r} is not the key of a blob.")
    return key


def _older_than(folder: Path, seconds: float) -> Iterator[Path]:
    with suppress(FileNotFoundError), os.scandir(folder) as entries:
        for entry in entries:
            if time.time() - entry.stat().st_mtime > seconds:
                yield Path(entry.path)
