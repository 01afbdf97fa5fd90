"""The command that makes results again."""

import time
from pathlib import Path

import click

from darkroom.batches import ImageReport, Report, Work, follow, reports_of, upload_all
from darkroom.cli.batch_commands import finish
from darkroom.cli.console import Session
from darkroom.cli.options import folder_option, server_options
from darkroom.client import Item
from darkroom.downloads import sha256_of
from darkroom.manifests import Entry, ManifestError, read_manifest
from darkroom.sources import SourceFile


@click.command()
@click.argument("manifest", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--originals",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    metavar="DIR",
    help="Where the originals are.  [default: where the manifest is]",
)
@click.option("--image", "names", multiple=True, metavar="NAME", help="Only this image, by the name it was sent under.")
@folder_option("Where the results go.", required=True)
@server_options
def reproduce(
    session: Session, *, manifest: Path, originals: Path | None, names: tuple[str, ...], folder: Path
) -> None:
    """Make the results of an earlier batch again, from its manifest and the originals.

    MANIFEST is the manifest.json of an archive, or the archive. Each result is compared with the one that the manifest
    tells of; one that differs counts as failed and is kept: the server may have another version now.
    """
    try:
        told = read_manifest(manifest)
    except ManifestError as error:
        raise click.UsageError(str(error)) from None
    wanted = [entry for entry in told.entries if not names or entry.name in names]
    if not wanted:
        raise click.UsageError(f"{manifest} tells of no result{' of that name' if names else ''}.")
    began = time.monotonic()
    work = Work((), told.outputs, None, told.metadata)
    found, lost = _find(wanted, originals or manifest.parent)
    if not found:
        finish(session, Report(None, "failed", lost), folder)
    client = session.client
    with session.bars() as bars:
        by_source = {SourceFile(path, entry.name): entry for path, entry in found}
        sent = upload_all(client, list(by_source), work.check(client), bars)
        taken = [by_source[source] for source, _ in sent.uploads]
        if not taken:
            finish(session, Report(None, "failed", [*sent.refused, *lost]), folder)
        items = [
            Item(upload, entry.name, entry.operations) for entry, (_, upload) in zip(taken, sent.uploads, strict=True)
        ]
        submission = work.submit(client, items)
        report = follow(client, submission.group_id, folder, bars, known=reports_of(sent))
    for image, entry in zip(report.images, taken, strict=True):
        _compare(image, entry)
    report.images += [*sent.refused, *lost]
    report.seconds = time.monotonic() - began
    finish(session, report, folder)


def _find(wanted: list[Entry], originals: Path) -> tuple[list[tuple[Path, Entry]], list[ImageReport]]:
    found: dict[Path, Entry] = {}
    lost = []
    for entry in wanted:
        path = entry.find_original(originals)
        if path and path not in found:
            found[path] = entry
            continue
        error = f"{path} is the original of another image, too." if path else f"Its original is not in {originals}."
        lost.append(ImageReport(entry.name, "failed", error=error, code="no_original"))
    return list(found.items()), lost


def _compare(image: ImageReport, entry: Entry) -> None:
    differing = [
        output or "result"
        for output, sha256 in entry.sha256.items()
        if output in image.files and sha256_of(image.files[output]) != sha256
    ]
    if differing:
        image.state, image.code = "failed", "differs"
        image.error = f"Not the same bytes as before: {', '.join(differing)}."


COMMANDS = (reproduce,)
