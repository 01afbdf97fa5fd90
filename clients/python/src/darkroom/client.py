"""A server of Darkroom, as an object."""

import json
import os
import secrets
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from io import BytesIO
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Literal, Self, TypeAlias, TypeVar, cast
from urllib.parse import quote

import requests

from darkroom import downloads, event_stream
from darkroom.errors import UnexpectedAnswerError, unreachable
from darkroom.file_paths import Placement
from darkroom.models import (
    CancelReceipt,
    DeletionReceipt,
    Event,
    Group,
    Image,
    Limits,
    Output,
    Preset,
    Submission,
    Upload,
)
from darkroom.transport import TRANSIENT, Transport

DEFAULT_URL = "http://127.0.0.1:8000"
_SILENCE = 60.0
"""Seconds that an event stream may be silent. A server says every 15 that it is still there."""
_LONG_POLL = 30
_PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNoAAAAggCBd81ytgAAAABJRU5ErkJggg=="
"""A PNG of one pixel, to ask about requests with."""

Operations: TypeAlias = Sequence[Mapping[str, Any]]
Source: TypeAlias = str | os.PathLike[str] | Upload | bytes
Read = TypeVar("Read")
OnBytes: TypeAlias = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Item:
    """An image of a group, with what is special about it.

    Args:
        source: a file, the bytes of one, an upload, or an `http` or `https` URL that the server fetches.
        name: its file name, possibly with folders. That of the file where it is left out.
        operations: its own operations, in place of the group's.
    """

    source: Source
    name: str | None = None
    operations: Operations | None = None


def default_url() -> str:
    """Return the address of the server that is worked with: DARKROOM_URL, or this machine's own."""
    return os.environ.get("DARKROOM_URL") or DEFAULT_URL


class Client:
    """Speaks to a server. Threads may share it; it is also a context manager.

    A request that fails for the moment is sent again, in a way that never does anything twice.

    Args:
        url: of the server, possibly with a path. DARKROOM_URL where it is left out, else http://127.0.0.1:8000.
        api_key: of the server. DARKROOM_API_KEY where it is left out.
        timeout: seconds that the server may be silent.
        retry_for: seconds for which a request is sent again that fails for the moment.
    """

    def __init__(
        self, url: str | None = None, api_key: str | None = None, *, timeout: float = 60, retry_for: float = 60
    ) -> None:
        self.url = (url or default_url()).rstrip("/")
        if not self.url.startswith(("http://", "https://")):
            raise ValueError(f"{self.url} is not the address of a server: it has to start with http:// or https://.")
        key = api_key if api_key is not None else os.environ.get("DARKROOM_API_KEY")
        self._transport = Transport(self.url, key or None, timeout=timeout, retry_for=retry_for)

    def close(self) -> None:
        """Close all connections."""
        self._transport.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # Sending images

    def upload(self, source: str | os.PathLike[str] | bytes, *, on_bytes: OnBytes | None = None) -> Upload:
        """Upload an image ahead. It is dropped an hour after its last use.

        Args:
            source: a file, or the bytes of one. A file is streamed, whatever its size.
            on_bytes: told how many more bytes were sent; fewer than none where it starts again.

        Raises:
            InvalidRequestError: it is not an image that this server takes.
        """
        body = _UploadBody(source, on_bytes)
        answer = self._transport.json(
            "POST",
            "/images",
            headers={"Content-Type": "application/octet-stream"},
            body=body.open,
            on_retry=body.take_back,
        )
        return _read(Upload.of, answer)

    def submit(
        self,
        images: Iterable[Source | Item],
        *,
        operations: Operations | None = None,
        outputs: Mapping[str, Operations] | None = None,
        preset: str | None = None,
        metadata: str | None = None,
        email: str | None = None,
        notify: bool = False,
        keep_for: int | None = None,
        deadline: datetime | None = None,
        webhook_url: str | None = None,
        idempotency_key: str | None = None,
    ) -> Submission:
        """Send a batch of images in. Files are uploaded ahead, one after the other.

        Args:
            images: files, uploads or URLs, or items with a name or operations of their own.
            operations: applied to each image in order, such as `[{"op": "blur", "radius": 8}]`.
            outputs: several results of each image, by their names.
            preset: of the server, in place of operations and outputs.
            metadata: what results keep of their originals': `none`, `copyright` or `all`.
            email: where the results can be emailed to.
            notify: whether they are emailed when the group ends.
            keep_for: seconds for which the results are kept.
            deadline: when what has not ended is given up. Needs an offset.
            webhook_url: where the server tells the end of the group.
            idempotency_key: the same request with the same key makes one group. Chosen anew where it is left out, so
                that this request can be sent again.

        Raises:
            InvalidRequestError: a mistake in the request, or none of the images can be worked on.
        """
        members: dict[str, Any] = {
            "images": [self._item(image) for image in images],
            "operations": operations,
            "outputs": outputs,
            "preset": preset,
            "metadata": metadata,
            "email": email,
            "notify": notify or None,
            "keep_for": keep_for,
            "deadline": deadline.isoformat() if deadline else None,
            "webhook_url": webhook_url,
        }
        answer = self._transport.json(
            "POST",
            "/process_images",
            headers={"Idempotency-Key": idempotency_key or secrets.token_hex(16)},
            json=_given(members),
        )
        return _read(Submission.of, answer)

    def check(
        self,
        *,
        operations: Operations | None = None,
        outputs: Mapping[str, Operations] | None = None,
        preset: str | None = None,
        metadata: str | None = None,
        email: str | None = None,
        keep_for: int | None = None,
    ) -> Limits:
        """Check what is to be done to images, before any is sent, and return what the server takes.

        Raises:
            InvalidRequestError: a mistake in it.
        """
        members = {
            "images": [{"data": _PIXEL}],
            "operations": operations,
            "outputs": outputs,
            "preset": preset,
            "metadata": metadata,
            "email": email,
            "keep_for": keep_for,
        }
        answer = self._transport.json("POST", "/preflight", json=_given(members))
        return _read(lambda body: Limits.of(body["limits"]), answer)

    # Following groups

    def status(self, group_id: str, *, images: bool = True, wait: int = 0) -> Group:
        """Return how a group stands.

        Args:
            group_id: the group.
            images: whether to list its images.
            wait: seconds, at most 60, to wait for a change.
        """
        answer = self._transport.json(
            "GET",
            f"/status/{quote(group_id, safe='')}",
            params={"images": "true" if images else "false", "wait": wait},
            timeout=self._transport.timeout + wait,
        )
        return _read(Group.of, answer)

    def wait(self, group_id: str, *, timeout: float | None = None) -> Group:
        """Wait for the end of a group, and return it with its images.

        Args:
            group_id: the group.
            timeout: seconds after which to give up.

        Raises:
            TimeoutError: it has not ended within that time.
        """
        deadline = None if timeout is None else time.monotonic() + timeout
        while True:
            left = _LONG_POLL if deadline is None else max(0.0, deadline - time.monotonic())
            group = self.status(group_id, images=False, wait=min(_LONG_POLL, int(left)))
            if group.has_ended:
                return self.status(group_id)
            if deadline is not None and time.monotonic() >= deadline:
                raise TimeoutError(f"Group {group_id} has not ended within {timeout:g} seconds.")
            if left < 1:
                time.sleep(min(0.1, left))

    def events(self, group_id: str, *, last_event_id: str | None = None) -> Iterator[Event]:
        """Yield what happens to a group until it has ended: first all its images, then those that changed.

        A lost connection is made again, and goes on where it was lost.

        Args:
            group_id: the group.
            last_event_id: where to go on.
        """
        reconnection = event_stream.Reconnection()
        silent_since = time.monotonic()
        while True:
            headers = {"Accept": "text/event-stream"}
            if last_event_id:
                headers["Last-Event-ID"] = last_event_id
            response = self._transport.send(
                "GET", f"/events/{quote(group_id, safe='')}", headers=headers, stream=True, timeout=_SILENCE
            )
            with response:
                if response.status_code == requests.codes.no_content:
                    return
                failure: Exception | None = None
                try:
                    for raw in event_stream.parse(response.iter_lines(_chunk_size(response)), reconnection):
                        silent_since = time.monotonic()
                        if raw.name not in ("status", "end"):
                            continue
                        last_event_id = raw.event_id or last_event_id
                        kind = cast("Literal['status', 'end']", raw.name)
                        yield Event(kind, _read(Group.of, _parsed(raw.data)), last_event_id)
                        if kind == "end":
                            return
                except TRANSIENT as error:
                    failure = error
            if failure and time.monotonic() - silent_since > self._transport.retry_for + _SILENCE:
                raise unreachable(self.url, failure) from failure
            time.sleep(reconnection.delay)

    def groups(self) -> Iterator[Group]:
        """Yield the groups of the API key, the newest first, without their images."""
        cursor: str | None = None
        while True:
            page = self._transport.json("GET", "/groups", params={"cursor": cursor} if cursor else None)
            yield from (_read(Group.of, group) for group in page["groups"])
            cursor = page.get("next")
            if not cursor:
                return

    # Changing groups

    def cancel(self, group_id: str) -> CancelReceipt:
        """Stop what has not ended of a group. Results that were made stay."""
        return _read(
            CancelReceipt.of, self._transport.json("POST", f"/cancel/{quote(group_id, safe='')}", repeatable=False)
        )

    def retry(self, group_id: str) -> int:
        """Run the failed images of an ended group again, and return how many they are."""
        answer = self._transport.json("POST", f"/retry/{quote(group_id, safe='')}", repeatable=False)
        return _read(lambda body: int(body["retried"]), answer)

    def delete(self, group_id: str) -> DeletionReceipt:
        """Erase a group with all its files and emails."""
        return _read(
            DeletionReceipt.of, self._transport.json("DELETE", f"/groups/{quote(group_id, safe='')}", repeatable=False)
        )

    def send_results(self, group_id: str, email: str | None = None) -> str:
        """Email the results of an ended group, and return the id of the email.

        Args:
            group_id: the group.
            email: where to, for a group that has no address yet.
        """
        answer = self._transport.json(
            "POST", f"/send_images/{quote(group_id, safe='')}", json={"email": email} if email else None
        )
        return _read(lambda body: str(body["id"]), answer)

    # Results

    def download(
        self,
        group_id: str,
        index: int,
        target: str | os.PathLike[str],
        *,
        output: str = "",
        original: bool = False,
        size: int | None = None,
        on_bytes: OnBytes | None = None,
    ) -> bool:
        """Download a result to a file, which appears once it is complete.

        Args:
            group_id: the group.
            index: of the image.
            target: the file. Its folders are made.
            output: the name of the result, where there are several.
            original: the image as it was sent, in place of a result.
            size: of the result, where it is known: a file that is there already and the same is left alone.
            on_bytes: told how many more bytes have arrived.

        Returns:
            Whether it was downloaded; False where it was there.
        """
        params: dict[str, str | int] = {}
        if output:
            params["output"] = output
        if original:
            params["original"] = "true"
        return downloads.download(
            self._transport,
            f"/images/{quote(group_id, safe='')}/{index}",
            Path(target),
            params=params,
            size=size,
            on_bytes=on_bytes,
        )

    def download_all(self, group_id: str, folder: str | os.PathLike[str]) -> dict[Path, tuple[Image, Output]]:
        """Wait for the end of a group, download all its results, and return them by their files.

        Args:
            group_id: the group.
            folder: where they go, as they are called in the archive. None is written outside of it.
        """
        placement = Placement(Path(folder))
        files = {}
        for image in self.wait(group_id).images:
            for output in image.results:
                path = placement.place(output.file)
                self.download(group_id, image.index, path, output=output.name, size=output.bytes)
                files[path] = (image, output)
        return files

    def archive(self, group_id: str, target: str | os.PathLike[str], *, on_bytes: OnBytes | None = None) -> None:
        """Download all results of an ended group as one ZIP."""
        path = f"/archive/{quote(group_id, safe='')}"
        # The server makes it anew each time, so a part of an earlier one is of no use.
        downloads.part_of(Path(target)).unlink(missing_ok=True)
        downloads.download(self._transport, path, Path(target), on_bytes=on_bytes)

    # The server

    def alive(self) -> bool:
        """Return whether the server's API answers."""
        return bool(_read(lambda body: body["status"] == "alive", self._transport.json("GET", "/healthz")))

    def ready(self) -> bool:
        """Return whether the server can take work in: its Redis and its storage answer."""
        return bool(_read(lambda body: body["status"] == "ready", self._transport.json("GET", "/readyz")))

    def control(self) -> Mapping[str, Any]:
        """Return workers and queues, as the server says it."""
        return _read(lambda body: {**body}, self._transport.json("GET", "/control"))

    def presets(self) -> Sequence[Preset]:
        """Return the presets of the server."""
        return _read(
            lambda body: [Preset.of(preset) for preset in body["presets"]], self._transport.json("GET", "/presets")
        )

    def subscribe(self, email: str) -> str:
        """Ask for the newsletter for an address, and return what the server says."""
        answer = self._transport.json("POST", "/subscribe", json={"email": email}, repeatable=False)
        return _read(lambda body: str(body["message"]), answer)

    def add(self, x: int, y: int) -> str:
        """Let a maintenance worker add two numbers, and return the id of the task."""
        return _read(lambda body: str(body["id"]), self._transport.json("GET", f"/add/{x}/{y}", repeatable=False))

    def task(self, task_id: str) -> Mapping[str, Any]:
        """Return how a task stands."""
        return _read(lambda body: {**body}, self._transport.json("GET", f"/tasks/{quote(task_id, safe='')}"))

    def _item(self, image: Source | Item) -> Mapping[str, Any]:
        item = image if isinstance(image, Item) else Item(image)
        source, name = item.source, item.name
        if isinstance(source, str) and source.lower().startswith(("http://", "https://")):
            members: dict[str, Any] = {"url": source}
        elif isinstance(source, Upload):
            members = {"image_id": source.image_id}
        else:
            if not isinstance(source, bytes):
                name = name or Path(source).name
            members = {"image_id": self.upload(source).image_id}
        if name:
            members["name"] = name
        if item.operations is not None:
            members["operations"] = item.operations
        return members


class _UploadBody:
    """The body of an upload, opened anew for each attempt, that tells how much of it was read."""

    def __init__(self, source: str | os.PathLike[str] | bytes, on_bytes: OnBytes | None) -> None:
        self._source = source
        self._on_bytes = on_bytes
        self._told = 0

    def open(self) -> BinaryIO:
        """Open it."""
        source = self._source
        file = BytesIO(source) if isinstance(source, bytes) else Path(source).open("rb")  # noqa: SIM115  # sent later
        return cast("BinaryIO", _Counted(file, self._count))

    def take_back(self) -> None:
        """Take back what was told: it starts again."""
        if self._on_bytes:
            self._on_bytes(-self._told)
        self._told = 0

    def _count(self, number: int) -> None:
        self._told += number
        if self._on_bytes:
            self._on_bytes(number)


class _Counted:
    """A file that tells how much of it was read."""

    def __init__(self, file: BinaryIO, count: Callable[[int], None]) -> None:
        self._file = file
        self._count = count
        self._size = file.seek(0, os.SEEK_END)
        file.seek(0)

    def __len__(self) -> int:
        return self._size

    def __iter__(self) -> Iterator[bytes]:
        while piece := self.read(1 << 16):
            yield piece

    def read(self, size: int = -1) -> bytes:
        """Read so many bytes."""
        piece = self._file.read(size)
        self._count(len(piece))
        return piece

    def close(self) -> None:
        """Close it."""
        with suppress(OSError):
            self._file.close()


def _given(members: Mapping[str, Any]) -> Mapping[str, Any]:
    return {name: value for name, value in members.items() if value is not None}


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        raise UnexpectedAnswerError("The server sent an event that cannot be read.") from None


def _read(read: Callable[[Any], Read], body: Any) -> Read:
    try:
        return read(body)
    except (KeyError, TypeError, ValueError):
        raise UnexpectedAnswerError(
            "The server answers in a way that this client does not know. Is it a Darkroom server of a newer version?"
        ) from None


def _chunk_size(response: requests.Response) -> int:
    """What is read at once of a stream. Chunks come as they are sent; without them, more than a byte would wait."""
    return 1 << 16 if "chunked" in response.headers.get("Transfer-Encoding", "") else 1
