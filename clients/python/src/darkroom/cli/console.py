"""What commands print: sentences and bars for people, JSON for scripts, and what a command ends with."""

import json
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from types import TracebackType
from typing import Any, Self

import click
from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from darkroom.batches import Observer, Report
from darkroom.client import Client
from darkroom.models import Group, Submission


class Exit(IntEnum):
    """What a command ends with."""

    DONE = 0
    SOME_FAILED = 1
    """Images without a result."""
    USAGE = 2
    """A mistake in the command."""
    SERVER = 3
    """The server cannot be reached, or refuses."""
    INTERRUPTED = 130


@dataclass(slots=True)
class Session:
    """The server that commands speak to, and how they print."""

    url: str | None = None
    as_json: bool = False
    opened: Client | None = None

    @property
    def client(self) -> Client:
        """The server."""
        if self.opened is None:
            try:
                self.opened = Client(self.url)
            except ValueError as error:
                raise click.UsageError(str(error)) from None
        return self.opened

    def close(self) -> None:
        """Close all connections."""
        if self.opened is not None:
            self.opened.close()

    def say(self, text: str) -> None:
        """Say something to people, beside the results."""
        if not self.as_json:
            click.echo(text, err=True)

    def print(self, text: str) -> None:
        """Print a result for people."""
        if not self.as_json:
            click.echo(text)

    def print_json(self, body: Mapping[str, Any]) -> None:
        """Print the result for scripts."""
        if self.as_json:
            click.echo(json.dumps(body, indent=2, ensure_ascii=not _speaks_unicode()))

    def bars(self) -> "Bars":
        """Return bars that show how a batch goes, where someone sees them."""
        return Bars(is_shown=not self.as_json and sys.stderr.isatty())


class _Rate(ProgressColumn):
    """Images a second."""

    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        return Text("" if speed is None else f"{speed:.1f} images/s", style="progress.data.speed")


class Bars(Observer):
    """Bars for uploads and for the work on images. Threads may share them."""

    def __init__(self, *, is_shown: bool) -> None:
        console = Console(stderr=True)
        text = TextColumn("{task.description:<10}")
        time_left = TimeRemainingColumn(compact=True, elapsed_when_finished=True)
        self._progress = Progress(
            text, BarColumn(), MofNCompleteColumn(), _Rate(), time_left, console=console, disable=not is_shown
        )
        self._bytes = Progress(text, BarColumn(), DownloadColumn(), time_left, console=console, disable=not is_shown)
        self._lock = threading.Lock()
        self._shown: Progress | None = None
        self._task: TaskID | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """Show nothing any more."""
        self._show(None)

    def uploading(self, files: int, size: int) -> None:
        """So many files are going to be uploaded."""
        self._show(self._bytes)
        self._task = self._bytes.add_task(f"Uploading {files:,} image{'' if files == 1 else 's'}", total=size)

    def uploaded(self, *, files: int = 0, size: int = 0) -> None:  # noqa: ARG002
        """More was uploaded."""
        if size and self._task is not None:
            self._bytes.advance(self._task, size)

    def submitted(self, submission: Submission) -> None:
        """The group was made."""
        self._show(self._progress)
        self._task = self._progress.add_task("Processing", total=submission.total)

    def processed(self, group: Group) -> None:
        """This is how the group stands."""
        if self._shown is not self._progress:
            self.submitted(Submission(group.group_id, group.total))
        if self._task is not None:
            self._progress.update(self._task, completed=group.finished)

    def _show(self, progress: Progress | None) -> None:
        with self._lock:
            if self._shown:
                self._shown.stop()
            self._shown, self._task = progress, None
            if progress:
                progress.start()


def report_json(report: Report) -> dict[str, Any]:
    """Return what `--json` prints of a batch."""
    return {
        "group_id": report.group_id,
        "state": report.state,
        "total": len(report.images),
        "succeeded": sum(image.state == "succeeded" for image in report.images),
        "failed": sum(image.state != "succeeded" for image in report.images),
        "seconds": round(report.seconds, 3),
        "images": [
            {
                "index": image.index,
                "name": image.name,
                "source": str(image.source) if image.source else None,
                "state": image.state,
                "error": image.error,
                "code": image.code,
                "files": {output: str(path) for output, path in image.files.items()},
            }
            for image in report.images
        ],
    }


def summary(report: Report, folder: str) -> list[str]:
    """Return what is said to people of a batch: images without a result, and all in all."""
    lines = [
        f"{printable(image.name)}: {printable(image.error) if image.error else image.state + '.'}"
        for image in report.images
        if image.state != "succeeded"
    ]
    done = sum(image.state == "succeeded" for image in report.images)
    text = f"{done:,} of {len(report.images):,} images done"
    if report.seconds:
        text += f" in {report.seconds:.1f} s"
    if folder and done:
        text += f", saved in {folder}"
    before = sum(image.bytes or 0 for image in report.images if image.files)
    after = sum(image.result_bytes for image in report.images if image.bytes)
    if before and after:
        text += f": {size_text(before)} became {size_text(after)} ({(after - before) / before:+.0%})"
    return [*lines, f"{text}."]


def size_text(size: int) -> str:
    """Return a size in bytes as people read it."""
    for unit, length in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if size >= length:
            return f"{size / length:.1f} {unit}"
    return f"{size} bytes"


def printable(text: str) -> str:
    """Return a text of the server without what a terminal would act on."""
    return "".join(sign if sign.isprintable() else "\ufffd" for sign in text)


def _speaks_unicode() -> bool:
    return (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"
