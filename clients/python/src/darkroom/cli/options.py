"""Options that several commands share."""

from collections.abc import Callable, Sequence
from functools import wraps
from pathlib import Path
from typing import Any, TypeVar

import click

from darkroom.batches import Work
from darkroom.cli.console import Session
from darkroom.operation_text import parse_operation, parse_output

Command = TypeVar("Command", bound=Callable[..., Any])


def server_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command `--url` and `--json`, and the session as its first argument."""

    @click.option("--url", metavar="URL", help="The server. [default: $DARKROOM_URL, else http://127.0.0.1:8000]")
    @click.option("--json", "as_json", is_flag=True, help="Print JSON for scripts.")
    @click.pass_context
    @wraps(command)
    def with_session(context: click.Context, /, *, url: str | None, as_json: bool, **options: Any) -> Any:
        session = context.find_object(Session)
        assert session is not None  # noqa: S101  # made by the group
        session.url = url or session.url
        session.as_json = as_json
        return command(session, **options)

    return with_session


def work_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options that say what is done to images, as one argument `work`."""

    @click.option(
        "--op",
        "operations",
        multiple=True,
        metavar="OP",
        help="An operation, such as resize:width=1200 or convert:format=webp; several are applied in order.",
    )
    @click.option(
        "--output",
        "outputs",
        multiple=True,
        metavar="NAME=OP",
        help="A result of its own, such as thumb=resize:width=200; the same name again adds an operation to it.",
    )
    @click.option("--preset", metavar="NAME", help="A preset of the server, in place of operations and outputs.")
    @wraps(command)
    def with_work(
        *arguments: Any, operations: Sequence[str], outputs: Sequence[str], preset: str | None, **options: Any
    ) -> Any:
        terms = {name: options.pop(name) for name in TERMS if name in options}
        try:
            work = Work([parse_operation(text) for text in operations], _outputs(outputs), preset, **terms)
        except ValueError as error:
            raise click.UsageError(str(error)) from None
        return command(*arguments, work=work, **options)

    return with_work


TERMS = ("metadata", "email", "notify", "keep_for")


def terms_options(command: Command) -> Command:
    """Give a command the options that say for whom the work is, and for how long."""
    for option in (
        click.option(
            "--metadata",
            type=click.Choice(["none", "copyright", "all"]),
            help="What results keep of their originals' metadata.  [default: none]",
        ),
        click.option("--email", metavar="ADDRESS", help="Where the results can be emailed to."),
        click.option("--notify", is_flag=True, help="Email the results when the batch ends."),
        click.option("--keep-for", type=click.IntRange(1), metavar="SECONDS", help="How long results are kept."),
    ):
        command = option(command)
    return command


def folder_option(help_text: str, *, required: bool = False) -> Callable[[Command], Command]:
    """Give a command `-o`, the folder for results."""
    return click.option(
        "-o",
        "--out",
        "folder",
        type=click.Path(file_okay=False, path_type=Path),
        metavar="DIR",
        required=required,
        help=help_text,
    )


def _outputs(texts: Sequence[str]) -> dict[str, list[dict[str, Any]]]:
    outputs: dict[str, list[dict[str, Any]]] = {}
    for text in texts:
        name, operation = parse_output(text)
        steps = outputs.setdefault(name, [])
        if operation is not None:
            steps.append(operation)
    return outputs
