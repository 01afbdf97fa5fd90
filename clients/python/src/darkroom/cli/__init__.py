"""The command `darkroom`."""

import sys
from typing import Any

import click

from darkroom.cli import batch_commands, group_commands, reproduce_command, server_commands, watch_command
from darkroom.cli.console import Exit, Session
from darkroom.errors import DarkroomError, InvalidRequestError, ProblemError


class _Commands(click.Group):
    """Ends every command with the exit code that its outcome has, and every error with a sentence."""

    def invoke(self, ctx: click.Context) -> Any:  # noqa: RET503  # it exits
        session = ctx.ensure_object(Session)
        try:
            return super().invoke(ctx)
        except DarkroomError as error:
            code = Exit.USAGE if isinstance(error, InvalidRequestError) else Exit.SERVER
            _tell(session, str(error), error)
        except OSError as error:
            code = Exit.SERVER
            reason = error.strerror or str(error)
            _tell(session, f"{error.filename}: {reason}." if error.filename else f"{reason}.", error)
        except KeyboardInterrupt:
            click.echo("Interrupted.", err=True)
            code = Exit.INTERRUPTED
        finally:
            session.close()
        ctx.exit(code)


def _tell(session: Session, sentence: str, error: Exception) -> None:
    problem = error if isinstance(error, ProblemError) else None
    session.print_json(
        {"error": sentence, "code": problem.code if problem else None, "status": problem.status if problem else None}
    )
    click.echo(f"Error: {sentence}", err=True)


@click.group(
    cls=_Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110, "auto_envvar_prefix": None},
    epilog="The API key is taken from DARKROOM_API_KEY. Exit codes: 0 all done, 1 some images have no result, "
    "2 wrong usage, 3 the server cannot be reached or refuses, 130 interrupted.",
)
@click.option(
    "--url",
    envvar="DARKROOM_URL",
    metavar="URL",
    help="The server. [default: $DARKROOM_URL, else http://127.0.0.1:8000]",
)
@click.version_option(package_name="darkroom")
@click.pass_context
def commands(context: click.Context, url: str | None) -> None:
    """Process batches of images on a Darkroom server."""
    context.ensure_object(Session).url = url


for command in (
    *batch_commands.COMMANDS,
    *watch_command.COMMANDS,
    *reproduce_command.COMMANDS,
    *group_commands.COMMANDS,
    *server_commands.COMMANDS,
):
    commands.add_command(command)


def main() -> None:
    """Run the command."""
    sys.exit(commands(prog_name="darkroom"))
