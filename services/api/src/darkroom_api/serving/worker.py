"""A gunicorn worker in which no client, however slow, holds a thread.

The poller receives each request in whole, its head and its body, and sends what a client does not take at once; threads
only ever work on what is there. So a thousand clients that never finish cost a descriptor each, and a few kilobytes.
"""

import errno
import selectors
import socket
import time
from collections import deque
from concurrent.futures import Future
from functools import partial
from heapq import nsmallest
from typing import Any

import structlog
from darkroom_runtime.settings import load

from darkroom_api.serving import refusals
from darkroom_api.serving.answering import cost
from darkroom_api.serving.budget import Budget
from darkroom_api.serving.connection import Connection, Pool, Stage, Then
from darkroom_api.serving.framing import MAX_HEAD, head_is_ready
from darkroom_api.serving.limits import connection_limit
from darkroom_api.serving.pace import Pace
from darkroom_api.serving.polling import BUFFER, STOPPING, PollingWorker
from darkroom_api.serving.received import Received, Space
from darkroom_api.serving.turns import Turns
from darkroom_api.settings import ApiSettings
from darkroom_api.uploads.disk_space import DiskSpace

_FAIR = 8
"""Reads from, or connections of, one socket before others have their turn."""
_WAITING = 0.05
"""Seconds between two looks at whether another process has left memory for a body."""
_CHECK = 0.5
"""Seconds between two looks at the deadlines."""
_NO_DESCRIPTOR = {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}
_NOBODY = {errno.EAGAIN, errno.EWOULDBLOCK, errno.ECONNABORTED, errno.EINTR}

_log = structlog.get_logger(__name__)


class Worker(PollingWorker):
    """Receives, has threads answer, and sends. All but the answering is done by one thread, which never waits."""

    memory: Budget
    """For the bodies that are held in memory, shared by all workers."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._settings = load(ApiSettings)
        self._limit = connection_limit(self._settings.max_connections)
        share = self._settings.upload_space // self._settings.api_workers
        self._space = Space(max(share, self._settings.max_request_bytes))
        self._disk = DiskSpace(self._settings.storage_dir, self._settings.min_free_space)
        self._queued: deque[tuple[float, Connection]] = deque()
        """Whose bodies wait for memory, and since when."""
        self._checked = 0.0

    def init_process(self) -> None:
        # As many wait for a group to change, or for their next event, as the application allows of each.
        threads = {Pool.PROMPT: self.cfg.threads, Pool.PATIENT: 2 * self._settings.max_streams, Pool.LEISURE: 1}
        self._turns = {pool: Turns(number, pool.name, self.handle, self._report) for pool, number in threads.items()}
        self._settings.storage_dir.mkdir(parents=True, exist_ok=True)
        super().init_process()

    # --- the loop ---------------------------------------------------------------------------------------------------

    def run(self) -> None:
        self.poller.register(self.method_queue.fileno(), selectors.EVENT_READ, self.method_queue.run_callbacks)
        while self.alive and self.is_parent_alive():
            self.set_accept_enabled(self.nr_conns < self._limit or bool(self._watched))
            self._turn(_WAITING if self._queued else 1.0)
        self.set_accept_enabled(False)
        now = time.monotonic()
        for conn in self._watched:
            if conn.stage in {Stage.HEAD, Stage.END}:
                conn.deadline = min(conn.deadline, now + STOPPING)
        while self.nr_conns > 0 and time.monotonic() < now + self.cfg.graceful_timeout:
            self._turn(0.2)
        self._clean_up()

    def _turn(self, timeout: float) -> None:
        self.notify()
        self.wait_for_and_dispatch_events(timeout)
        self._admit_queued()
        now = time.monotonic()
        if now - self._checked < _CHECK:
            return
        self._checked = now
        for conn in [conn for conn in self._watched if conn.deadline <= now]:
            if conn.stage is Stage.BODY:
                self._step(conn)  # it may be this process that was slow, and the bytes are there
            if conn in self._watched and conn.deadline <= now:
                self._expire(conn)
        while self._queued and self._queued[0][0] + self._settings.json_wait <= now:
            self._answer_now(self._queued.popleft()[1], refusals.BUSY)
            self.memory.stop_waiting()

    def _clean_up(self) -> None:
        for conn in list(self._watched):
            self._drop(conn)
        for turns in self._turns.values():
            turns.shutdown()
        self.poller.close()
        self.method_queue.close()
        for listener in self.sockets:
            listener.close()

    # --- connections come and go ------------------------------------------------------------------------------------

    def accept(self, listener: Any) -> None:
        for _ in range(_FAIR):
            if self.nr_conns >= self._limit and not self._make_room():
                return
            try:
                sock, client = listener.accept()
            except OSError as error:
                if error.errno in _NO_DESCRIPTOR:
                    if not self._make_room():
                        time.sleep(0.01)  # all of them are being answered
                elif error.errno not in _NOBODY:
                    raise
                return
            self._greet(sock, client)

    def _greet(self, sock: socket.socket, client: Any) -> None:
        try:
            conn = Connection(self.cfg, sock, client, Received(self._settings.storage_dir, self._space))
        except OSError:  # gone already
            sock.close()
            return
        self.nr_conns += 1
        self._watch(conn, Stage.HEAD, time.monotonic() + self._settings.header_timeout, self._on_head)

    def _make_room(self) -> bool:
        """Drop those of whom least is to be expected: who is next to be given up for being slow, or idle."""
        victims = nsmallest(max(1, self._limit // 32), self._watched, key=lambda conn: conn.deadline)
        for conn in victims:
            self._drop(conn)
        return bool(victims)

    def _expire(self, conn: Connection) -> None:
        if conn.stage is Stage.HEAD and conn.head:
            self._answer_now(conn, refusals.HEAD_TOO_SLOW)
        elif conn.stage is Stage.BODY:
            self._answer_now(conn, refusals.BODY_TOO_SLOW)
        else:
            self._drop(conn)

    # --- receiving --------------------------------------------------------------------------------------------------

    def _on_head(self, conn: Connection) -> None:
        count = self._receive(conn, MAX_HEAD)
        if count is None:
            return
        if not count:
            self._drop(conn)
            return
        if not conn.head and conn.parser.req_count:  # it was idle until now
            conn.deadline = time.monotonic() + self._settings.header_timeout
        conn.head += self._buffer[:count]
        if head_is_ready(conn.head):
            self._unwatch(conn)
            self._submit(conn)
        elif len(conn.head) > MAX_HEAD:
            self._answer_now(conn, refusals.HEAD_TOO_LARGE)

    def _await_body(self, conn: Connection) -> None:
        pace = Pace(time.monotonic(), self._settings.min_transfer_rate, self._settings.transfer_timeout)
        self._watch(conn, Stage.BODY, pace.deadline, partial(self._on_body, pace=pace))

    def _on_body(self, conn: Connection, pace: Pace) -> None:
        end = conn.end
        for _ in range(_FAIR):
            limit = min(BUFFER, end.missing or BUFFER)
            count = self._receive(conn, limit)
            if count is None:
                break
            if not count:
                self._drop(conn)
                return
            if not self._keep(conn, count):
                return
            end.feed(self._buffer[:count])
            if end.is_complete:
                self._unwatch(conn)
                self._admit(conn)
                return
            pace.moved(time.monotonic(), count)
            if count < limit:
                break
        conn.deadline = pace.deadline

    def _keep(self, conn: Connection, count: int) -> bool:
        """Keep what has just been received of a body, or refuse the request."""
        if conn.received.size + count > self._settings.max_request_bytes:
            self._answer_now(conn, refusals.BODY_TOO_LARGE)
            return False
        if conn.received.goes_to_disk(count) and not self._make_space(conn, count):
            self._answer_now(conn, refusals.TOO_MANY_UPLOADS)
            return False
        if conn.received.goes_to_disk(count) and self._disk.is_low():
            self._answer_now(conn, refusals.DISK_FULL)
            return False
        try:
            conn.received.append(self._buffer[:count])
        except OSError as error:
            _log.error("request_body_not_stored", reason=str(error))
            self._answer_now(conn, refusals.DISK_FULL)
            return False
        return True

    def _make_space(self, conn: Connection, count: int) -> bool:
        """Give up bodies that come in more slowly than this one, where the disk is full of them."""
        while not self._space.is_left(count):
            bodies = [other for other in self._watched if other.stage is Stage.BODY and other.received.on_disk]
            slowest = min(bodies, key=lambda other: other.deadline, default=conn)
            if slowest is conn:
                return False
            self._answer_now(slowest, refusals.TOO_MANY_UPLOADS)
        return True

    # --- answering --------------------------------------------------------------------------------------------------

    def _admit(self, conn: Connection) -> None:
        """Have a request answered as soon as there is memory for its body. It waits for that without a thread."""
        conn.cost = min(cost(conn), self._settings.max_json_bytes)
        if not conn.cost:
            self._submit(conn)
            return
        self._queued.append((time.monotonic(), conn))
        self._admit_queued()

    def _admit_queued(self) -> None:
        while self._queued:
            since, conn = self._queued[0]
            if not self.memory.take(conn.cost, since, time.monotonic()):
                return
            self._queued.popleft()
            self._submit(conn)

    def _release(self, conn: Connection) -> None:
        if conn.cost:
            self.memory.give_back(conn.cost)
            conn.cost = 0
            self._admit_queued()

    def _submit(self, conn: Connection) -> None:
        self._turns[conn.pool].add(conn)

    def _report(self, conn: Connection, future: Future[Then]) -> None:
        self.method_queue.defer(self.finish_request, conn, future)

    def finish_request(self, conn: Connection, future: Future[Then]) -> None:
        """Go on with a connection that a thread has done its part for."""
        self._turns[conn.pool].done()
        try:
            self._finish(conn, future)
        except Exception:
            self.log.exception("Error on a connection")
            self._drop(conn)

    def _finish(self, conn: Connection, future: Future[Then]) -> None:
        then = Then.CLOSE if future.cancelled() or future.exception() else future.result()
        if then in {Then.GO_ON, Then.NEXT, Then.CLOSE}:
            self._release(conn)
        if conn.outgoing.is_behind():
            conn.then = then
            pace = Pace(time.monotonic(), self._settings.min_transfer_rate, self._settings.transfer_timeout)
            self._watch(conn, Stage.ANSWER, pace.deadline, partial(self._on_writable, pace=pace))
        else:
            self._go_on(conn, then)

    def _on_writable(self, conn: Connection, pace: Pace) -> None:
        try:
            pace.moved(time.monotonic(), conn.outgoing.flush())
        except OSError:
            self._drop(conn)
            return
        conn.deadline = pace.deadline
        if not conn.outgoing.is_behind():
            self._unwatch(conn)
            self._go_on(conn, conn.then)

    def _go_on(self, conn: Connection, then: Then) -> None:
        if then is Then.BODY:
            conn.pool = Pool.PROMPT
            self._await_body(conn)
        elif then is Then.NEXT:
            self._await_next(conn)
        elif then is Then.CLOSE:
            self._see_off(conn)
        else:
            conn.pool = {Then.WAIT: Pool.PATIENT, Then.ASK: Pool.LEISURE}.get(then, conn.pool)
            self._submit(conn)

    def _await_next(self, conn: Connection) -> None:
        conn.next_request()
        if head_is_ready(conn.head):
            conn.pool = Pool.LEISURE
            self._submit(conn)
            return
        idle = self._settings.header_timeout if conn.head else self.cfg.keepalive
        self._watch(conn, Stage.HEAD, time.monotonic() + (idle if self.alive else STOPPING), self._on_head)
