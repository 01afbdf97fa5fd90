"""The command line: ``python -m darkroom_local up``, ``down``, ``status`` or ``logs``."""

import argparse
import contextlib
import os
import signal
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from dotenv import dotenv_values

from darkroom_local.announcement import announcement
from darkroom_local.folder import Folder
from darkroom_local.following import following, print_line, print_trouble
from darkroom_local.leftovers import LeftoverError
from darkroom_local.ports import NoFreePortError, Ports
from darkroom_local.record import AlreadyRunningError, Record, is_running
from darkroom_local.redis_server import RedisServerError
from darkroom_local.stack import LocalStack, StackError
from darkroom_local.supervision import UNREACHABLE

_DOTENV = Path(__file__).parents[3] / ".env"
_POLL = 0.2
_LAST_PORT = 65_535


class SettingError(ValueError):
    """A setting is wrong. The message names it."""


_TROUBLES = (AlreadyRunningError, LeftoverError, NoFreePortError, RedisServerError, SettingError, StackError)


def main() -> None:
    """Run the command that was given."""
    settings = {name: value for name, value in dotenv_values(_DOTENV).items() if value} | os.environ
    parser = argparse.ArgumentParser(prog="darkroom_local", description="Run Darkroom without containers.")
    parser.add_argument("command", choices=["up", "down", "status", "logs"])
    parser.add_argument("--data", type=Path, default=Path("data"), help="the folder that keeps everything")
    parser.add_argument("--port", help="of the API; DARKROOM_PORT, or a free one near 8000, where none is given")
    arguments = parser.parse_args()
    folder = Folder(arguments.data)
    try:
        if arguments.command == "up":
            if arguments.port:
                settings["DARKROOM_PORT"] = arguments.port
            up(folder, settings)
        else:
            {"down": down, "status": status, "logs": logs}[arguments.command](folder)
    except _TROUBLES as trouble:
        sys.exit(str(trouble))


def up(folder: Folder, settings: Mapping[str, str]) -> None:
    """Run the system until Ctrl-C, or until it is stopped from elsewhere."""
    for asked_to_end in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(asked_to_end, signal.default_int_handler)  # as Ctrl-C
    ports = Ports.default(_port(settings, "DARKROOM_PORT"), _port(settings, "DARKROOM_FLOWER_PORT"))
    stack = LocalStack(folder.root, settings, ports)
    try:
        print("Darkroom is starting. This takes a few seconds.", flush=True)
        stack.start()
        print(_announcement(stack, settings), flush=True)
        with following(folder.logs, print_trouble):
            ended_badly = stack.wait()
        if ended_badly:
            raise StackError(f"Darkroom stopped unexpectedly.\n{folder.last_lines('supervisor')}")
    except KeyboardInterrupt:
        print("\nDarkroom is stopping. Images being processed are finished first.", flush=True)
    finally:
        stack.stop()
    print(f"Darkroom has stopped. Its data is kept in {folder.root}.")


def down(folder: Folder) -> None:
    """Stop the system that runs on this folder, from wherever it was started, and wait until it has ended."""
    if not is_running(folder):
        print(f"Darkroom is not running in {folder.root}.")
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
        sys.exit(f"Darkroom is not running in {folder.root}.")
    for process in record.control().processes().values():
        print(f"{process.name:<10} {process.state:<9} {process.pid or ''}")
    print(f"The API is at port {record.ports.api}, Flower at {record.ports.flower}.")


def logs(folder: Folder) -> None:
    """Print what all programs log, from their last lines on, until Ctrl-C."""
    with contextlib.suppress(KeyboardInterrupt), following(folder.logs, print_line, last_lines=True):
        signal.pause()


def _port(settings: Mapping[str, str], name: str) -> int | None:
    text = settings.get(name)
    if not text:
        return None
    if not text.isdecimal() or not 1 <= int(text) <= _LAST_PORT:
        raise SettingError(f"{name} must be a port from 1 to {_LAST_PORT}, not {text!r}.")
    return int(text)


def _announcement(stack: LocalStack, settings: Mapping[str, str]) -> str:
    folder, smtp = stack.folder, settings.get("DARKROOM_SMTP_HOST")
    return announcement(
        api=stack.api_url,
        flower=stack.flower_url,
        email=f"goes to {smtp}" if smtp else f"{folder.mail / 'new'} (each email is a file)",
        public=settings.get("DARKROOM_PUBLIC_URL"),
        logs=str(folder.logs),
    )


if __name__ == "__main__":
    main()
