"""Watching many connections at once, and letting go of them."""

import selectors
import socket
import struct
import time
from collections.abc import Callable
from typing import Any

from darkroom_api.serving.answering import AnsweringWorker
from darkroom_api.serving.connection import Connection, Pool, Stage
from darkroom_api.serving.turns import Turns

BUFFER = 256 * 1024
"""Bytes that are received at a time."""
STOPPING = 2.0
"""Seconds that a stopping worker waits for heads: clients may have begun to send one."""
_END = 5.0
"""Seconds for a client to read the last answer and close, while what it still sends is thrown away."""
_MAX_DRAINED = 64_000_000
_SLICE = 0.02
"""Seconds of moving bytes before new connections have their turn again."""


class PollingWorker(AnsweringWorker):
    """A worker with connections that it watches. None of its methods waits."""

    _turns: dict[Pool, Turns]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._watched: dict[Connection, None] = {}
        self._buffer = memoryview(bytearray(BUFFER))

    def _watch(self, conn: Connection, stage: Stage, deadline: float, ready: Callable[[Connection], None]) -> None:
        conn.stage, conn.deadline, conn.ready = stage, deadline, ready
        self._watched[conn] = None
        event = selectors.EVENT_WRITE if stage is Stage.ANSWER else selectors.EVENT_READ
        self.poller.register(conn.sock, event, conn)

    def _unwatch(self, conn: Connection) -> None:
        if self._watched.pop(conn, False) is None:
            self.poller.unregister(conn.sock)

    def wait_for_and_dispatch_events(self, timeout: float) -> None:
        """Go on with whatever is ready: first with what is short, then for a while with what moves many bytes."""
        bulky = []
        for key, _ in self.poller.select(timeout):
            if not isinstance(key.data, Connection):
                key.data(key.fileobj)
            elif key.data.stage is Stage.HEAD:
                self._step(key.data)
            else:
                bulky.append(key.data)
        end = time.monotonic() + _SLICE
        for conn in bulky:
            self._step(conn)
            if time.monotonic() > end:  # the others are ready again next time
                break

    def _step(self, conn: Connection) -> None:
        """Take a step with a connection that is ready. Whatever goes wrong, the other connections go on."""
        if conn not in self._watched:  # it was dropped since the poller saw it
            return
        try:
            conn.ready(conn)
        except Exception:
            self.log.exception("Error on a connection")
            self._drop(conn)

    def _receive(self, conn: Connection, limit: int) -> int | None:
        """Receive into the buffer. None where nothing has come, 0 where nothing more will."""
        try:
            return conn.sock.recv_into(self._buffer[:limit])
        except BlockingIOError:
            return None
        except OSError:
            return 0

    def _answer_now(self, conn: Connection, answer: bytes) -> None:
        """Answer without the application, and close."""
        self._unwatch(conn)
        try:
            conn.outgoing.sendall(answer)
        except OSError:
            self._drop(conn)
        else:
            self._see_off(conn)

    def _see_off(self, conn: Connection) -> None:
        """Close, but not before the client has read its answer: closing with bytes unread would reset it."""
        conn.received.close()
        try:
            conn.sock.shutdown(socket.SHUT_WR)
        except OSError:
            self._drop(conn)
            return
        self._watch(conn, Stage.END, time.monotonic() + (_END if self.alive else STOPPING), self._on_end)

    def _on_end(self, conn: Connection) -> None:
        count = self._receive(conn, BUFFER)
        conn.drained += count or 0
        if count == 0 or conn.drained > _MAX_DRAINED:
            self._drop(conn)

    def _drop(self, conn: Connection) -> None:
        self._unwatch(conn)
        self.nr_conns -= 1
        if conn.outgoing.is_behind():  # else the kernel would go on offering what it holds
            conn.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        conn.close()
        if conn.answer is not None:
            self._turns[Pool.PROMPT].run(self.abandon, conn)  # which may be the closing of a thousand files
