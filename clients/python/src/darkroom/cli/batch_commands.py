"""Commands that send images in."""

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import click

from darkroom.batches import ImageReport, Report, Work, follow, items_of, reports_of, upload_all
from darkroom.cli.console import Exit, Session, report_json, summary
from darkroom.cli.options import folder_option, server_options, terms_options, work_options
from darkroom.errors import ConflictError
from darkroom.sources import NoSuchSourceError, SourceFile, find_sources

_sources = click.argument("paths", nargs=-1, required=True, metavar="FILES...")
_recursive = click.option("-r", "--recursive", is_flag=True, help="Search folders within folders, too.")
_detach = click.option("--detach", is_flag=True, help="Send the images in and do not wait for the results.")
_folder = folder_option("Where the results go.")


@click.command()
@_sources
@_recursive
@click.option("--radius", type=click.FloatRange(0, min_open=True), default=5, show_default=True, help="In pixels.")
@_folder
@_detach
@terms_options
@server_options
def blur(
    session: Session,
    *,
    paths: tuple[str, ...],
    recursive: bool,
    radius: float,
    folder: Path | None,
    detach: bool,
    metadata: str | None,
    email: str | None,
    notify: bool,
    keep_for: int | None,
) -> None:
    """Blur images.

    FILES are images and folders of images.
    """
    work = Work([{"op": "blur", "radius": radius}], {}, None, metadata, email, notify, keep_for)
    run(session, work, paths, recursive=recursive, folder=folder, detach=detach)


@click.command()
@_sources
@_recursive
@work_options
@_folder
@_detach
@terms_options
@server_options
def process(
    session: Session, *, paths: tuple[str, ...], recursive: bool, work: Work, folder: Path | None, detach: bool
) -> None:
    """Process images.

    FILES are images and folders of images. Without an operation, images are turned upright, stripped of metadata and
    encoded again.
    """
    run(session, work, paths, recursive=recursive, folder=folder, detach=detach)


COMMANDS = (blur, process)


def run(
    session: Session, work: Work, paths: tuple[str, ...], *, recursive: bool, folder: Path | None, detach: bool
) -> None:
    """Send images in, follow the group and download its results, and end the command."""
    if folder is None and not detach:
        raise click.UsageError("Say with -o where the results go, or use --detach to leave them on the server.")
    sources = _find(paths, recursive=recursive, folder=folder)
    began = time.monotonic()
    client = session.client
    limits = work.check(client)
    if len(sources) > limits.max_images:
        raise click.UsageError(
            f"{len(sources):,} images; this server takes at most {limits.max_images:,} in a batch. Send them in parts."
        )
    with session.bars() as bars:
        work = work.with_uploads(client)
        sent = upload_all(client, sources, limits, bars)
        if not sent.uploads:
            finish(session, Report(None, "failed", sent.refused, time.monotonic() - began), folder)
        submission = work.submit(client, items_of(sent))
        if detach:
            _left(session, submission.group_id, sent.refused, reports_of(sent))
        try:
            session.say(f"Batch {submission.group_id}.")
            bars.submitted(submission)
            report = follow(client, submission.group_id, folder, bars, known=reports_of(sent), refuse=_protect(sources))
        except KeyboardInterrupt:
            bars.stop()
            offer_to_cancel(session, submission.group_id, folder)
            raise
        except BaseException:
            bars.stop()
            session.say(resume_hint(submission.group_id, folder))
            raise
    report.images += sent.refused
    report.seconds = time.monotonic() - began
    finish(session, report, folder)


def finish(session: Session, report: Report, folder: Path | None) -> NoReturn:
    """Print what became of a batch, and end the command."""
    session.print_json(report_json(report))
    *failures, conclusion = summary(report, str(folder or ""))
    for line in failures:
        session.say(line)
    session.print(conclusion)
    click.get_current_context().exit(Exit.DONE if report.all_done else Exit.SOME_FAILED)


def offer_to_cancel(session: Session, group_id: str, folder: Path | None) -> None:
    """Ask whether a group is to be cancelled, where someone can answer."""
    if not session.as_json and sys.stdin.isatty():
        try:
            wanted = click.confirm("\nCancel the batch on the server?", default=False, err=True)
        except click.Abort:
            wanted = False
        if wanted:
            try:
                receipt = session.client.cancel(group_id)
            except ConflictError:
                session.say("It had ended already.")
            else:
                session.say(f"Cancelled: {receipt.finished:,} images had ended, the others will not be processed.")
            return
    session.say(resume_hint(group_id, folder))


def resume_hint(group_id: str, folder: Path | None) -> str:
    """Return how to go on with a group."""
    return f"The batch goes on. To get its results: darkroom download {group_id} -o {folder or 'DIR'}"


def _left(session: Session, group_id: str, refused: list[ImageReport], taken: dict[int, ImageReport]) -> NoReturn:
    session.print_json(report_json(Report(group_id, "queued", [*taken.values(), *refused])))
    for image in refused:
        session.say(f"{image.name}: {image.error}")
    session.say(resume_hint(group_id, None))
    session.print(group_id)
    click.get_current_context().exit(Exit.SOME_FAILED if refused else Exit.DONE)


def _find(paths: tuple[str, ...], *, recursive: bool, folder: Path | None) -> list[SourceFile]:
    try:
        sources = find_sources(paths, recursive=recursive, besides=[folder] if folder else [])
    except NoSuchSourceError as error:
        raise click.UsageError(str(error)) from None
    if not sources:
        hint = "" if recursive else " With -r, folders within folders are searched, too."
        raise click.UsageError(f"There are no images in {', '.join(paths)}.{hint}")
    return sources


def _protect(sources: list[SourceFile]) -> Callable[[Path], str | None]:
    originals = {source.path.resolve() for source in sources}

    def refuse(path: Path) -> str | None:
        if path.resolve() in originals:
            return "Not saved: it would replace its original. Choose another folder with -o."
        return None

    return refuse
