"""The command line: ``python -m darkroom_local up``, ``down`` or ``status``."""

import argparse
import os
import signal
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from dotenv import dotenv_values

from darkroom_local.folder import Folder
from darkroom_local.leftovers import LeftoverError
from darkroom_local.ports import NoFreePortError, Ports
from darkroom_local.record import AlreadyRunningError, Record, is_running
from darkroom_local.stack import LocalStack, StackError
from darkroom_local.supervision import UNREACHABLE

_DOTENV = Path(__file__).parents[3] / ".env"
_POLL = 0.2
_LAST_PORT = 65_535
_TROUBLES = (AlreadyRunningError, LeftoverError, NoFreePortError, StackError)


def main() -> None:
    """Run the command that was given."""
    settings = {name: value for name, value in dotenv_values(_DOTENV).items() if value} | os.environ
    parser = argparse.ArgumentParser(prog="darkroom_local", description="Run Darkroom without containers.")
    parser.add_argument("command", choices=["up", "down", "status"])
    parser.add_argument("--data", type=Path, default=Path("data"), help="the folder that keeps everything")
    parser.add_argument(
        "--port",
        type=_port,
        default=settings.get("DARKROOM_PORT") or None,
        help="of the API; a free one near 8000 where none is given",
    )
    arguments = parser.parse_args()
    folder = Folder(arguments.data)
    try:
        if arguments.command == "up":
            up(folder, arguments.port, settings)
        else:
            {"down": down, "status": status}[arguments.command](folder)
    except _TROUBLES as trouble:
        sys.exit(str(trouble))


def up(folder: Folder, port: int | None, settings: Mapping[str, str]) -> None:
    """Run the system until Ctrl-C, or until it is stopped from elsewhere."""
    for asked_to_end in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(asked_to_end, signal.default_int_handler)  # as Ctrl-C
    stack = LocalStack(folder.root, settings, Ports.familiar(port))
    try:
        print("Darkroom is starting. This takes some seconds.", flush=True)
        stack.start()
        print(_announcement(stack), flush=True)
        if stack.wait():
            raise StackError(f"Darkroom has ended by itself.\n{folder.last_lines('supervisor')}")
    except KeyboardInterrupt:
        print("\nDarkroom is stopping; the images at hand are finished first.", flush=True)
    finally:
        stack.stop()
    print(f"Darkroom has stopped. Its data is kept in {folder.root}.")


def down(folder: Folder) -> None:
    """Stop the system that runs on this folder, from wherever it was started, and wait until it has ended."""
    if not is_running(folder):
        print(f"Darkroom does not run on {folder.root}.")
        return
    while is_running(folder):
        record = Record.read(folder)
        try:
            if record:
                record.control().shutdown()
        except UNREACHABLE:  # it is not up yet, or is stopping already
            pass
        time.sleep(_POLL)
    print(f"Darkroom has stopped. Its data is kept in {folder.root}.")


def status(folder: Folder) -> None:
    """Print what runs, and where. Exit 1 if nothing does."""
    record = Record.read(folder)
    if record is None or not is_running(folder):
        sys.exit(f"Darkroom does not run on {folder.root}.")
    for process in record.control().processes().values():
        print(f"{process.name:<10} {process.state:<9} {process.pid or ''}")
    print(f"The API is at port {record.ports.api}, Flower at {record.ports.flower}.")


def _port(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= _LAST_PORT:
        raise argparse.ArgumentTypeError(f"a port is a number from 1 to {_LAST_PORT}, not {text!r}")
    return int(text)


def _announcement(stack: LocalStack) -> str:
    return f"""
Darkroom is ready. Ctrl-C stops it, or `make down` in another terminal.

  the page    {stack.api_url}/
  the API     {stack.api_url}/docs
  Flower      {stack.flower_url}/
  mail        {stack.folder.mail} (a Maildir: each new mail is a file in {stack.folder.mail / "new"})
  logs        {stack.folder.logs}
"""


if __name__ == "__main__":
    main()
