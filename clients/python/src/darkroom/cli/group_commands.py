"""Commands about a batch that was sent in."""

import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import NoReturn

import click

from darkroom.batches import follow
from darkroom.cli.batch_commands import finish, offer_to_cancel, resume_hint
from darkroom.cli.console import Exit, Session, printable, size_text
from darkroom.cli.options import folder_option, server_options
from darkroom.models import Group

_group = click.argument("group_id", metavar="GROUP")


@click.command()
@_group
@click.option("--wait", is_flag=True, help="Wait until it has ended.")
@server_options
def status(session: Session, *, group_id: str, wait: bool) -> None:
    """Show how a batch stands.

    Ends with 1 where images have ended without a result.
    """
    group = session.client.wait(group_id) if wait else session.client.status(group_id)
    session.print_json(group.body)
    for image in group.images:
        size = sum(output.bytes or 0 for output in image.results)
        facts = [printable(image.name), size_text(size) if size else "", printable(image.error or "")]
        session.print(f"{image.index:>5}  {image.state:<10}  {'  '.join(filter(None, facts))}")
    session.print(_sentence(group))
    lost = group.failed + group.cancelled + group.expired
    click.get_current_context().exit(Exit.SOME_FAILED if lost else Exit.DONE)


@click.command()
@_group
@server_options
def cancel(session: Session, *, group_id: str) -> None:
    """Stop what has not ended of a batch. Results that were made stay."""
    receipt = session.client.cancel(group_id)
    session.print_json(asdict(receipt))
    session.print(
        f"Cancelled: {receipt.finished:,} images had ended, {receipt.aborted:,} were stopped, "
        f"{receipt.never_started:,} had not begun."
    )


@click.command()
@_group
@folder_option("Wait, and save the results here.")
@server_options
def retry(session: Session, *, group_id: str, folder: Path | None) -> None:
    """Process the failed images of a batch again, and only those."""
    number = session.client.retry(group_id)
    session.say(f"Trying {number:,} image{'' if number == 1 else 's'} again.")
    if folder:
        fetch(session, group_id, folder)
    session.print_json({"group_id": group_id, "retried": number})


@click.command()
@_group
@folder_option("Where the results go.", required=True)
@click.option("--zip", "as_zip", is_flag=True, help="As one ZIP with a manifest, once the batch has ended.")
@server_options
def download(session: Session, *, group_id: str, folder: Path, as_zip: bool) -> None:
    """Save the results of a batch, as they are made.

    Files that are there already are not fetched again, and one that broke off is gone on with: so a run that was
    interrupted is resumed.
    """
    if not as_zip:
        fetch(session, group_id, folder)
    group = session.client.wait(group_id)
    target = folder / f"darkroom-{group.group_id[:8]}.zip"
    session.client.archive(group_id, target)
    session.print_json({"group_id": group_id, "state": group.state, "file": str(target)})
    session.print(f"Saved {target}.")
    click.get_current_context().exit(Exit.DONE if group.completed == group.total else Exit.SOME_FAILED)


@click.command()
@_group
@click.option("--yes", is_flag=True, help="Do not ask.")
@server_options
def delete(session: Session, *, group_id: str, yes: bool) -> None:
    """Erase a batch from the server, with all its images, results and emails."""
    if not yes and not session.as_json and sys.stdin.isatty():
        click.confirm(f"Erase {group_id} with all its results?", abort=True, err=True)
    receipt = session.client.delete(group_id)
    session.print_json(asdict(receipt))
    session.print(f"Erased: {receipt.images:,} images with {receipt.results:,} results.")


COMMANDS = (status, cancel, retry, download, delete)


def fetch(session: Session, group_id: str, folder: Path) -> NoReturn:
    """Follow a batch, download its results, and end the command."""
    began = time.monotonic()
    with session.bars() as bars:
        try:
            report = follow(session.client, group_id, folder, bars)
        except KeyboardInterrupt:
            bars.stop()
            offer_to_cancel(session, group_id, folder)
            raise
        except OSError:
            session.say(resume_hint(group_id, folder))
            raise
    report.seconds = time.monotonic() - began
    finish(session, report, folder)


def _sentence(group: Group) -> str:
    parts = [f"{group.completed:,} of {group.total:,} images done"]
    parts += [
        f"{number:,} {word}"
        for number, word in ((group.failed, "failed"), (group.cancelled, "cancelled"), (group.expired, "expired"))
        if number
    ]
    until = f" Results are kept until {group.expires_at:%Y-%m-%d %H:%M} UTC." if group.expires_at else ""
    return f"{group.state.capitalize()}: {', '.join(parts)}.{until}"
