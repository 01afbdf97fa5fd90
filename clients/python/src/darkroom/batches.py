"""A batch from beginning to end: files uploaded ahead, one group, results as they are made."""

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from darkroom.client import Client, Item, Operations
from darkroom.errors import DarkroomError, InvalidRequestError, NotFoundError
from darkroom.file_paths import Placement, UnsafePathError
from darkroom.models import FINAL_IMAGE_STATES, Group, Image, Limits, Output, Submission, Upload
from darkroom.sources import SourceFile

AT_ONCE = 4
"""Files that are sent or fetched at the same time."""


@dataclass(frozen=True, slots=True)
class Work:
    """What is to be done to images, and for whom."""

    operations: Operations = ()
    outputs: Mapping[str, Operations] = field(default_factory=dict)
    preset: str | None = None
    metadata: str | None = None
    email: str | None = None
    notify: bool = False
    keep_for: int | None = None

    def check(self, client: Client) -> Limits:
        """Let the server check it before any image is sent."""
        return client.check(
            operations=self.operations or None,
            outputs=self.outputs or None,
            preset=self.preset,
            metadata=self.metadata,
            email=self.email,
            keep_for=self.keep_for,
        )

    def submit(self, client: Client, items: Iterable[Item]) -> Submission:
        """Make a group of these images."""
        return client.submit(
            items,
            operations=self.operations or None,
            outputs=self.outputs or None,
            preset=self.preset,
            metadata=self.metadata,
            email=self.email,
            notify=self.notify,
            keep_for=self.keep_for,
        )

    def with_uploads(self, client: Client) -> "Work":
        """Return the same with each watermark's `image`, a file here, uploaded and named by its id."""
        uploaded: dict[str, str] = {}

        def ready(operation: Mapping[str, Any]) -> Mapping[str, Any]:
            file = operation.get("image") if operation.get("op") == "watermark" else None
            if not isinstance(file, str):
                return operation
            if file not in uploaded:
                uploaded[file] = client.upload(file).image_id
            return {key: value for key, value in operation.items() if key != "image"} | {"image_id": uploaded[file]}

        return replace(
            self,
            operations=[ready(operation) for operation in self.operations],
            outputs={name: [ready(operation) for operation in steps] for name, steps in self.outputs.items()},
        )


@dataclass(slots=True)
class ImageReport:
    """What became of one image."""

    name: str
    state: str
    source: Path | None = None
    index: int | None = None
    error: str | None = None
    code: str | None = None
    bytes: int | None = None
    """Of the source."""
    files: dict[str, Path] = field(default_factory=dict)
    """Its results on this machine, by their outputs."""
    result_bytes: int = 0


@dataclass(slots=True)
class Report:
    """What became of a batch."""

    group_id: str | None
    state: str
    images: list[ImageReport]
    seconds: float = 0.0

    @property
    def all_done(self) -> bool:
        """Whether every image has its results."""
        return all(image.state == "succeeded" for image in self.images)


class Observer:
    """Is shown how a batch goes, and shows nothing of it itself: who does overrides these."""

    def uploading(self, files: int, size: int) -> None:
        """So many files are going to be uploaded."""

    def uploaded(self, *, files: int = 0, size: int = 0) -> None:
        """More was uploaded."""

    def submitted(self, submission: Submission) -> None:
        """The group was made."""

    def processed(self, group: Group) -> None:
        """This is how the group stands."""


@dataclass(slots=True)
class Sent:
    """Files that were uploaded, and those that were refused."""

    uploads: list[tuple[SourceFile, Upload]]
    refused: list[ImageReport]


def upload_all(client: Client, sources: Sequence[SourceFile], limits: Limits, observer: Observer) -> Sent:
    """Upload files ahead, a few at a time.

    Raises:
        DarkroomError: the server takes nothing now.
        OSError: a file cannot be read.
    """
    sizes = {source: source.path.stat().st_size for source in sources}
    refused = [_too_large(source, size, limits) for source, size in sizes.items() if size > limits.max_image_bytes]
    sources = [source for source, size in sizes.items() if size <= limits.max_image_bytes]
    observer.uploading(len(sources), sum(sizes[source] for source in sources))
    stopped = threading.Event()

    def send(source: SourceFile) -> Upload | InvalidRequestError:
        if stopped.is_set():
            raise DarkroomError("Stopped.")
        try:
            return client.upload(source.path, on_bytes=lambda size: observer.uploaded(size=size))
        except InvalidRequestError as error:
            return error
        finally:
            observer.uploaded(files=1)

    uploads: list[tuple[SourceFile, Upload]] = []
    with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="upload") as pool:
        try:
            for source, result in zip(sources, pool.map(send, sources), strict=True):
                if isinstance(result, Upload):
                    uploads.append((source, result))
                else:
                    refused.append(
                        ImageReport(source.name, "failed", source.path, None, str(result), result.code, sizes[source])
                    )
        except BaseException:
            stopped.set()
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return Sent(uploads, refused)


def items_of(sent: Sent) -> list[Item]:
    """Return what was uploaded as items of a group."""
    return [Item(upload, source.name) for source, upload in sent.uploads]


def reports_of(sent: Sent) -> dict[int, ImageReport]:
    """Return a report for each image of the group that is made of what was uploaded."""
    return {
        index: ImageReport(source.name, "queued", source.path, index, bytes=upload.bytes)
        for index, (source, upload) in enumerate(sent.uploads)
    }


def follow(
    client: Client,
    group_id: str,
    folder: Path | None,
    observer: Observer,
    *,
    known: Mapping[int, ImageReport] | None = None,
    refuse: Callable[[Path], str | None] = lambda path: None,  # noqa: ARG005
) -> Report:
    """Follow a group to its end, and download each result as it is made.

    Args:
        client: of the server.
        group_id: the group.
        folder: where results go; None to leave them where they are.
        observer: is shown how it goes.
        known: what is known of its images already.
        refuse: says why a file must not be written, if there is a reason.

    Raises:
        DarkroomError: the server does not answer, or knows no such group.
        OSError: a result cannot be written.
    """
    reports = dict(known or {})
    placement = Placement(folder) if folder else None
    downloads: list[Future[None]] = []
    group: Group | None = None
    with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="download") as pool:

        def take(group: Group) -> None:
            for image in group.images:
                report = _updated(reports, image)
                if placement is None or image.state != "succeeded" or report.files:
                    continue
                downloads.extend(
                    pool.submit(_download, client, group_id, image, output, path)
                    for output in image.results
                    if (path := _placed(placement, output, report, refuse))
                )

        try:
            for event in client.events(group_id):
                group = event.group
                take(group)
                observer.processed(group)
            if group is None or len(reports) < group.total or not all(map(_has_ended, reports.values())):
                group = client.status(group_id)
                take(group)
            for download in downloads:
                download.result()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    for report in reports.values():
        _check_files(report)
    return Report(group_id, group.state, [reports[index] for index in sorted(reports)])


def _has_ended(report: ImageReport) -> bool:
    return report.state in FINAL_IMAGE_STATES


def _updated(reports: dict[int, ImageReport], image: Image) -> ImageReport:
    report = reports.setdefault(image.index, ImageReport(image.name, image.state, index=image.index))
    report.state, report.error, report.code = image.state, image.error, image.code
    return report


def _placed(
    placement: Placement, output: Output, report: ImageReport, refuse: Callable[[Path], str | None]
) -> Path | None:
    try:
        path = placement.place(output.file)
        reason = refuse(path)
    except UnsafePathError as error:
        path, reason = placement.folder, str(error)
    if reason:
        report.error, report.code = reason, "not_written"
        return None
    report.files[output.name] = path
    report.result_bytes += output.bytes or 0
    return path


def _download(client: Client, group_id: str, image: Image, output: Output, path: Path) -> None:
    try:
        client.download(group_id, image.index, path, output=output.name, size=output.bytes)
    except NotFoundError:
        return  # its file is missed below


def _check_files(report: ImageReport) -> None:
    missing = [output for output, path in report.files.items() if not path.is_file()]
    for output in missing:
        del report.files[output]
        report.error, report.code = "Its result has expired.", "file_expired"
    if report.code in ("not_written", "file_expired") and report.state == "succeeded":
        report.state = "failed"


def _too_large(source: SourceFile, size: int, limits: Limits) -> ImageReport:
    error = f"Image file too large: {size / 1e6:,.1f} MB; the limit is {limits.max_image_bytes / 1e6:,.10g} MB."
    return ImageReport(source.name, "failed", source.path, None, error, "image_too_large", size)
