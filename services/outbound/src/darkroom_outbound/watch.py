"""A deadline for all of a request, whatever the other side does meanwhile."""

import socket
import threading
import time
from contextlib import suppress
from types import TracebackType
from typing import Self


class Watch:
    """Ends the connections opened under it once the time is over, so that nobody is held up by a server that sends a
    byte now and then, which no timeout of a socket notices."""

    def __init__(self, seconds: float) -> None:
        self._until = time.monotonic() + seconds
        self._timer = threading.Timer(seconds, self._expire)
        self._timer.daemon = True
        self._lock = threading.Lock()
        self._sockets: list[socket.socket] = []
        self.expired = False

    @property
    def left(self) -> float:
        """Seconds that are left; never quite none, which a socket would take for no timeout."""
        return max(self._until - time.monotonic(), 0.001)

    def guard(self, connection: socket.socket) -> None:
        """End this connection when the time is over."""
        double = connection.dup()  # TLS takes the original away
        with self._lock:
            self._sockets.append(double)
        if self.expired:
            self._expire()

    def _expire(self) -> None:
        self.expired = True
        with self._lock:
            for connection in self._sockets:
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)

    def __enter__(self) -> Self:
        self._timer.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._timer.cancel()
        with self._lock:
            for connection in self._sockets:
                connection.close()
            self._sockets.clear()
