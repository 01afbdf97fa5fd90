"""Commands about a server."""

from dataclasses import asdict

import click

from darkroom.checkup import check_server
from darkroom.cli.console import Exit, Session, printable
from darkroom.cli.options import server_options
from darkroom.operation_text import format_operation

_MARKS = {"ok": ("ok", "green"), "failed": ("FAILED", "red"), "unknown": ("?", "yellow")}


@click.command()
@server_options
def control(session: Session) -> None:
    """Show the workers and queues of the server."""
    body = session.client.control()
    session.print_json(body)
    for worker in body["workers"]:
        session.print(
            f"{printable(worker['name'])}: {worker['active']:,} of {worker['concurrency']:,} busy, "
            f"watches {', '.join(worker['queues'])}"
        )
    for queue in body["queues"]:
        oldest = queue.get("oldest_seconds")
        waits = f", the oldest for {oldest:.0f} s" if oldest is not None and queue["length"] else ""
        session.print(f"queue {queue['name']}: {queue['length']:,} waiting{waits}, {queue['consumers']:,} workers")
    if body.get("note"):
        session.print(printable(body["note"]))


@click.command()
@server_options
def presets(session: Session) -> None:
    """Show the presets of the server."""
    found = session.client.presets()
    session.print_json({"presets": [asdict(preset) for preset in found]})
    for preset in found:
        session.print(f"{preset.name}: {printable(preset.description)}")
        for operation in preset.operations:
            session.print(f"  {format_operation(operation)}")
        for name, steps in preset.outputs.items():
            session.print(f"  {name} = {' '.join(map(format_operation, steps))}")
    if not found:
        session.print("This server has no presets.")


@click.command()
@click.argument("email", metavar="ADDRESS")
@server_options
def subscribe(session: Session, *, email: str) -> None:
    """Subscribe an address to the weekly newsletter of the server."""
    message = session.client.subscribe(email)
    session.print_json({"message": message})
    session.print(message)


@click.command()
@server_options
def doctor(session: Session) -> None:
    """Check the server: API, Redis, storage, workers, email, outbound, and a real image there and back."""
    checks = []
    for check in check_server(session.client):
        checks.append(check)
        mark, colour = _MARKS[check.outcome]
        session.print(f"{click.style(f'{mark:<7}', fg=colour)} {check.name}: {printable(check.detail)}")
    is_well = all(check.outcome != "failed" for check in checks)
    session.print_json({"ok": is_well, "checks": [asdict(check) for check in checks]})
    click.get_current_context().exit(Exit.DONE if is_well else Exit.SERVER)


COMMANDS = (control, presets, subscribe, doctor)
