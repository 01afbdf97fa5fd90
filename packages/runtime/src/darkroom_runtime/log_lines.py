"""Writing log lines, and making log lines of what is printed past the logs."""

import atexit
import fcntl
import io
import logging
import os
import selectors
import sys
import tempfile
import threading
from types import TracebackType
from typing import Any

_STREAMS = {1: ("stdout", logging.INFO), 2: ("stderr", logging.WARNING)}
_CHUNK = 65_536
_LONGEST_LINE = 65_536
_PATIENCE = 2.0
"""Seconds that the end of a process waits for its last words to be written."""


class LineStream(io.TextIOBase):
    """Standard output as it is when this is made, whatever is made of it later.

    A process and those that it forks write to it in turns, so that no line runs into another one. The system alone
    sees to that only while a line is short or the pipe that takes it is not full.
    """

    def __init__(self) -> None:
        self._descriptor = os.dup(1)
        self._lock = tempfile.TemporaryFile()  # noqa: SIM115 - open for as long as the process runs

    def write(self, text: str) -> int:
        """Write a line."""
        rest = text.encode(errors="backslashreplace")
        # Belongs to the process, unlike the locks of `flock`, which those that it forks share; and ends with it.
        fcntl.lockf(self._lock, fcntl.LOCK_EX)
        try:
            while rest:
                rest = rest[os.write(self._descriptor, rest) :]
        finally:
            fcntl.lockf(self._lock, fcntl.LOCK_UN)
        return len(text)


class StrayOutput:
    """Makes a log record of each line that is written to standard output or standard error directly: by ``print``, by
    a library in C, or by the interpreter itself.

    It reads both from a thread of the process that starts it. The processes it forks write to the same pipes.
    """

    def __init__(self) -> None:
        self._owner = os.getpid()
        self._originals = {descriptor: os.dup(descriptor) for descriptor in _STREAMS}
        self._selector = selectors.DefaultSelector()
        self._pending: dict[int, bytes] = {}
        self._wake, self._woken = os.pipe()
        self._thread = threading.Thread(target=self._read, name="stray-output", daemon=True)

    def start(self) -> None:
        """Take over both streams until the process ends."""
        sys.stdout.flush()
        sys.stderr.flush()
        for descriptor in _STREAMS:
            reading, writing = os.pipe()
            os.dup2(writing, descriptor)
            os.close(writing)
            self._pending[descriptor] = b""
            self._selector.register(reading, selectors.EVENT_READ, descriptor)
        self._selector.register(self._wake, selectors.EVENT_READ, None)
        self._thread.start()
        atexit.register(self.stop)

    def stop(self) -> None:
        """Give both streams back, once all that was written to them is logged."""
        if os.getpid() != self._owner:
            return
        sys.stdout.flush()
        sys.stderr.flush()
        for descriptor, original in self._originals.items():
            os.dup2(original, descriptor)
        os.write(self._woken, b".")
        self._thread.join(_PATIENCE)

    def _read(self) -> None:
        stopping = False
        while self._selector.get_map():
            # What was written before the end is there already: forked processes may hold the pipes open for ever.
            events = self._selector.select(0 if stopping else None)
            if stopping and not events:
                break
            for key, _ in events:
                if key.data is None:
                    self._selector.unregister(key.fd)
                    stopping = True
                else:
                    self._take(key.fd, key.data)
        for descriptor, rest in self._pending.items():
            _log_line(descriptor, rest)

    def _take(self, reading: int, descriptor: int) -> None:
        chunk = os.read(reading, _CHUNK)
        if not chunk:
            self._selector.unregister(reading)
            return
        *lines, rest = (self._pending[descriptor] + chunk).split(b"\n")
        if len(rest) > _LONGEST_LINE:
            lines, rest = [*lines, rest], b""
        self._pending[descriptor] = rest
        for line in lines:
            _log_line(descriptor, line)


def _log_line(descriptor: int, line: bytes) -> None:
    name, level = _STREAMS[descriptor]
    if text := line.decode(errors="backslashreplace").strip():
        # As an argument, since a percent sign in it is no placeholder.
        logging.getLogger(name).log(level, "%s", text)


def log_uncaught_exceptions() -> None:
    """Log what would be printed of an exception that nobody caught, as one record with its traceback."""
    log = logging.getLogger("uncaught")

    def main_thread(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if issubclass(kind, KeyboardInterrupt):
            return
        log.critical("uncaught_exception", exc_info=(kind, error, trace))

    def other_thread(arguments: threading.ExceptHookArgs) -> None:
        if arguments.exc_value and not isinstance(arguments.exc_value, SystemExit):
            error = arguments.exc_value
            log.critical("uncaught_exception", exc_info=(type(error), error, error.__traceback__))

    def unraisable(arguments: Any) -> None:
        error = arguments.exc_value
        if error:
            log.error("unraisable_exception", exc_info=(type(error), error, error.__traceback__))

    sys.excepthook = main_thread
    threading.excepthook = other_thread
    sys.unraisablehook = unraisable
