"""A real Redis of a test's own, run as the one of a local system is."""

import signal
import subprocess
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from darkroom_local import ports
from darkroom_local.redis_server import RedisServerError, find_server, options, serving_process

from support.free_ports import free_port

_PATIENCE = 30.0
"""Seconds a server may take until it answers: it reads its whole append-only file first."""
_LOG_LINES = 5
_POLL = 0.02


class RedisServer:
    """A Redis server of one's own, as a context manager. What it holds stays in its folder.

    Args:
        data_dir: where it keeps its append-only file; made if it is not there.
        port: to listen on; one is chosen where none is given, and kept over restarts.
    """

    def __init__(self, data_dir: Path, port: int | None = None) -> None:
        self.port = port or free_port()
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
