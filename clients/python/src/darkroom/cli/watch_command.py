"""The command that watches a folder."""

import json
from pathlib import Path

import click

from darkroom.batches import Report, Work
from darkroom.cli.console import Exit, Session, report_json, summary
from darkroom.cli.options import folder_option, server_options, terms_options, work_options
from darkroom.watching import Folders, Watcher
from darkroom.watching import watch as watch_folder

_directory = click.Path(file_okay=False, path_type=Path)


@click.command()
@click.argument("inbox", type=_directory, metavar="DIR")
@folder_option("Where the results go.", required=True)
@click.option("--done", type=_directory, metavar="DIR", help="Where originals are moved to.  [default: DIR/done]")
@click.option(
    "--failed", type=_directory, metavar="DIR", help="Where those without a result are moved to.  [default: DIR/failed]"
)
@click.option("-r", "--recursive", is_flag=True, help="Watch folders within the folder, too.")
@click.option(
    "--settle",
    type=click.FloatRange(0),
    default=3,
    show_default=True,
    metavar="SECONDS",
    help="A file is taken once it has not changed for so long.",
)
@click.option(
    "--interval",
    type=click.FloatRange(0.05),
    default=2,
    show_default=True,
    metavar="SECONDS",
    help="Between two looks.",
)
@click.option("--once", is_flag=True, help="Process what is there, and end.")
@work_options
@terms_options
@server_options
def watch(
    session: Session,
    *,
    inbox: Path,
    folder: Path,
    done: Path | None,
    failed: Path | None,
    recursive: bool,
    settle: float,
    interval: float,
    once: bool,
    work: Work,
) -> None:
    """Process every image that is put into a folder.

    Files that came together become a batch once they have stopped growing. When it ends, results are in the folder for
    results, originals are moved to DIR/done, and those without a result to DIR/failed, beside a text that says why.
    With --json, each batch is printed as one line.
    """
    folders = Folders(inbox, folder, done or inbox / "done", failed or inbox / "failed")
    if folder.resolve() == inbox.resolve():
        raise click.UsageError("Results must go to another folder than the one that is watched.")
    folders.prepare()
    if once:
        work.check(session.client)  # a mistake or a server that is away ends it
    watcher = Watcher(session.client, folders, work, settle=settle, recursive=recursive, tell=session.say)
    batches: list[Report] = []

    def on_batch(report: Report) -> None:
        batches.append(report)
        if session.as_json:
            click.echo(json.dumps(report_json(report)))
        session.print(summary(report, str(folder))[-1])

    session.say(f"Watching {inbox}.")
    watch_folder(
        watcher,
        interval=interval,
        is_over=lambda: once and not watcher.is_waiting,
        tell=session.say,
        done=on_batch,
    )
    all_done = all(report.all_done for report in batches)
    click.get_current_context().exit(Exit.DONE if all_done else Exit.SOME_FAILED)


COMMANDS = (watch,)
