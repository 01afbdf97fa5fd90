"""Watching a folder: what is put into it is processed, and moved out of the way once it is done."""

import errno
import json
import os
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from darkroom.batches import ImageReport, Observer, Report, Work, follow, items_of, reports_of, upload_all
from darkroom.client import Client
from darkroom.errors import DarkroomError, NotFoundError
from darkroom.models import Limits
from darkroom.sources import SourceFile, images_in

_JOURNAL = ".darkroom"
"""The folder that holds what is at work, so that it is gone on with after a restart."""


@dataclass(frozen=True, slots=True)
class Folders:
    """Where images come from and where they go."""

    inbox: Path
    out: Path
    done: Path
    failed: Path

    def prepare(self) -> None:
        """Make them, and see that they can be written to.

        Raises:
            OSError: one of them cannot.
        """
        for folder in (self.inbox, self.out, self.done, self.failed, self.inbox / _JOURNAL):
            folder.mkdir(parents=True, exist_ok=True)
            trial = folder / f".darkroom-{os.getpid()}"
            trial.touch()
            trial.unlink()


@dataclass(frozen=True, slots=True)
class Version:
    """A file as it was at one moment."""

    size: int
    modified: int

    @classmethod
    def of(cls, path: Path) -> "Version | None":
        """Return the file as it is now; None where it is gone."""
        try:
            found = path.stat()
        except OSError:
            return None
        return cls(found.st_size, found.st_mtime_ns)


class Watcher:
    """Processes what is put into a folder.

    Args:
        client: of the server.
        folders: where images come from and where they go.
        work: what is done to them.
        settle: seconds for which a file must not have changed.
        recursive: whether folders within the folder are watched, too.
        tell: is told of what happens, in sentences.
    """

    def __init__(
        self,
        client: Client,
        folders: Folders,
        work: Work,
        *,
        settle: float,
        recursive: bool,
        tell: Callable[[str], None],
    ) -> None:
        self._client = client
        self._folders = folders
        self._work = work
        self._settle = settle
        self._recursive = recursive
        self._tell = tell
        self._journal = folders.inbox / _JOURNAL
        self._seen: dict[Path, tuple[Version, float]] = {}
        self._stuck: dict[Path, Version] = {}
        """Files that were processed and could not be moved."""
        self._limits: Limits | None = None

    @property
    def is_waiting(self) -> bool:
        """Whether files are there that may still be growing."""
        return bool(self._seen)

    def look(self) -> list[Report]:
        """Go on with what is at work, and process what has come and is complete.

        Raises:
            DarkroomError: the server cannot be reached or refuses. What was not processed stays where it is.
        """
        reports = [report for entry in sorted(self._journal.glob("*.json")) if (report := self._resume(entry))]
        if self._limits is None:
            self._limits = self._work.check(self._client)
        while ready := self._ready(self._limits.max_images):
            reports.append(self._process(ready, self._limits))
        return reports

    def _ready(self, limit: int) -> list[SourceFile]:
        """The files that have not changed for long enough."""
        now = time.monotonic()
        besides = {folder.resolve() for folder in (self._folders.out, self._folders.done, self._folders.failed)}
        seen: dict[Path, tuple[Version, float]] = {}
        ready: list[SourceFile] = []
        for source in images_in(self._folders.inbox, recursive=self._recursive, besides=besides):
            version = Version.of(source.path)
            if version is None or self._stuck.get(source.path) == version:
                continue
            known = self._seen.get(source.path)
            since = known[1] if known and known[0] == version else now
            if now - since >= self._settle and len(ready) < limit:
                ready.append(source)
            seen[source.path] = (version, since)
        self._seen = seen
        return ready

    def _process(self, sources: Sequence[SourceFile], limits: Limits) -> Report:
        versions = {source.path: self._seen[source.path][0] for source in sources}
        work = self._work.with_uploads(self._client)
        sent = upload_all(self._client, sources, limits, Observer())
        if sent.uploads:
            group_id = work.submit(self._client, items_of(sent)).group_id
            entry = self._journal / f"{group_id}.json"
            _write(entry, [(source, versions[source.path]) for source, _ in sent.uploads])
            self._tell(f"Batch {group_id}: {len(sent.uploads):,} image{'' if len(sent.uploads) == 1 else 's'}.")
            report = follow(self._client, group_id, self._folders.out, Observer(), known=reports_of(sent))
            report.images += sent.refused
        else:
            entry, report = None, Report(None, "failed", sent.refused)
        self._put_away(report, versions)
        if entry:
            entry.unlink()
        return report

    def _resume(self, entry: Path) -> Report | None:
        """Go on with a group of an earlier run."""
        group_id = entry.stem
        try:
            files: list[Mapping[str, Any]] = json.loads(entry.read_text())["files"]
            known = {
                index: ImageReport(
                    file["name"], "queued", self._folders.inbox / file["name"], index, bytes=file["size"]
                )
                for index, file in enumerate(files)
            }
            versions = {self._folders.inbox / file["name"]: Version(file["size"], file["modified"]) for file in files}
            report = follow(self._client, group_id, self._folders.out, Observer(), known=known)
        except (NotFoundError, ValueError, KeyError, TypeError):
            entry.unlink()  # its files are still there, and are sent again
            return None
        self._put_away(report, versions)
        entry.unlink()
        return report

    def _put_away(self, report: Report, versions: Mapping[Path, Version]) -> None:
        """Move what was processed, unless it has changed since: then it is new."""
        for image in report.images:
            source = image.source
            if source is None or Version.of(source) != versions.get(source):
                continue
            name = source.relative_to(self._folders.inbox)
            self._seen.pop(source, None)
            try:
                if image.state == "succeeded":
                    _move(source, self._folders.done / name)
                else:
                    parked = _move(source, self._folders.failed / name)
                    reason = image.error or f"The image is {image.state}."
                    parked.with_name(f"{parked.name}.txt").write_text(f"{reason}\n", encoding="utf-8")
                    self._tell(f"{name}: {reason}")
            except OSError as error:
                self._stuck[source] = versions[source]
                self._tell(f"{name} was processed and cannot be moved: {error.strerror}.")


def watch(
    watcher: Watcher,
    *,
    interval: float,
    is_over: Callable[[], bool],
    tell: Callable[[str], None],
    done: Callable[[Report], None],
) -> None:
    """Look into the folder again and again. A server that is away is waited for.

    Args:
        watcher: of the folder.
        interval: seconds between two looks.
        is_over: asked after each look.
        tell: is told what is wrong, once.
        done: is given each batch.
    """
    trouble, pause = "", interval
    while True:
        try:
            for report in watcher.look():
                done(report)
            trouble, pause = "", interval
        except (DarkroomError, FileNotFoundError) as error:
            if isinstance(error, DarkroomError) and str(error) != trouble:
                trouble = str(error)
                tell(f"{trouble} Trying again.")
            pause = min(max(pause * 2, 1.0), 60.0)
        else:
            if is_over():
                return
        time.sleep(pause)


def _write(entry: Path, files: Sequence[tuple[SourceFile, Version]]) -> None:
    body = [{"name": source.name, "size": version.size, "modified": version.modified} for source, version in files]
    part = entry.with_suffix(".part")
    part.write_text(json.dumps({"files": body}), encoding="utf-8")
    part.replace(entry)


def _move(source: Path, target: Path) -> Path:
    """Move a file to a name that is free, and return it."""
    target.parent.mkdir(parents=True, exist_ok=True)
    number, free = 1, target
    while free.exists():
        number += 1
        free = target.with_name(f"{target.stem} ({number}){target.suffix}")
    try:
        source.replace(free)
    except OSError as error:
        if error.errno != errno.EXDEV:  # it goes to another file system
            raise
        part = free.with_name(f".{free.name}.part")
        shutil.copyfile(source, part)
        part.replace(free)
        with suppress(FileNotFoundError):
            source.unlink()
    return free
