"""What threads do: read a request that has come in, run the application, write what the client takes at once."""

import ctypes
import errno
import gc
from collections.abc import Mapping
from typing import Any

from gunicorn.http import wsgi  # type: ignore[import-untyped]  # it ships no types
from gunicorn.http.errors import NoMoreData, ParseException  # type: ignore[import-untyped]
from gunicorn.workers.gthread import ThreadWorker  # type: ignore[import-untyped]
from werkzeug.exceptions import BadRequest
from werkzeug.http import HTTP_STATUS_CODES

from darkroom_api.serving import waiting
from darkroom_api.serving.connection import Answer, Connection, Pool, Then
from darkroom_api.serving.framing import body_end
from darkroom_api.serving.received import IN_MEMORY
from darkroom_api.serving.refusals import problem

_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
_SMALL = 1_000_000
"""Bytes of a body that are awaited without asking first whether anybody wants them, and read to be thrown away."""
_LIBC = ctypes.CDLL(None)
_GONE = {errno.EPIPE, errno.ECONNRESET, errno.ENOTCONN, errno.EBADF}
_SENTENCES: Mapping[int, str] = {
    400: "The request is not valid HTTP.",
    414: "The request line is too long.",
    417: "The only supported expectation is 100-continue.",
    431: "The request's headers are too large.",
    500: "Internal server error. The log has the details.",
    501: "The only supported transfer coding is chunked.",
}


def _free_memory() -> None:
    """Give back what a large body took, before the next one comes."""
    gc.collect()  # an error's traceback may hold the body until then
    if trim := getattr(_LIBC, "malloc_trim", None):  # only glibc keeps free memory of each thread to itself
        trim(0)


class _Body:
    """A body whose framing is the client's to get right."""

    def __init__(self, body: Any) -> None:
        self._body = body

    def read(self, size: int = -1) -> bytes:
        return self._checked(self._body.read, size)

    def readline(self, size: int = -1) -> bytes:
        return self._checked(self._body.readline, size)

    @staticmethod
    def _checked(read: Any, size: int) -> bytes:
        try:
            data: bytes = read(size)
        except ParseException:
            raise BadRequest("The request's body is not valid HTTP.") from None
        return data


class _Written:
    """In place of a socket, what was written to it."""

    def __init__(self) -> None:
        self.data = b""

    def sendall(self, data: bytes) -> None:
        self.data += data

    def gettimeout(self) -> float:
        return 0.0


class AnsweringWorker(ThreadWorker):  # type: ignore[misc]  # for the same reason
    """A worker whose threads do not wait for clients."""

    def handle(self, conn: Connection) -> Then:
        """Take the connection's request as far as it goes without waiting."""
        try:
            then = self._serve(conn)
            if conn.cost > _SMALL:
                _free_memory()
            return then
        except (NoMoreData, StopIteration) as error:
            self.log.debug("Closing connection. %s", error)
        except OSError as error:
            if error.errno not in _GONE:
                self.log.exception("Socket error processing request.")
        except Exception as error:  # noqa: BLE001 - whatever it is, the client gets an answer and the others go on
            self._refuse(conn, error)
        self.abandon(conn)
        return Then.CLOSE

    def abandon(self, conn: Connection) -> None:
        """Give up the answer that is on its way."""
        answer, conn.answer = conn.answer, None
        if answer is None:
            return
        try:
            answer.close()
        except Exception:
            self.log.exception("Error closing an answer.")

    def _serve(self, conn: Connection) -> Then:
        if conn.answer is not None:
            return self._write(conn, conn.answer)
        if conn.request is None:
            self._read_head(conn)
        if conn.end.is_complete:
            return self._begin(conn, _Body(conn.request.body))
        if not conn.expects_continue and conn.end.missing is not None and conn.end.missing <= _SMALL:
            return Then.BODY
        return self._begin(conn, waiting.AbsentBody()) if conn.pool is Pool.LEISURE else Then.ASK

    def _read_head(self, conn: Connection) -> None:
        conn.parse()
        conn.expects_continue, conn.request._expected_100_continue = conn.request._expected_100_continue, False
        conn.end = body_end(conn.request)
        conn.end.feed(conn.unreader.buffered())
        headers = dict(conn.request.headers)
        # A form's files go through memory in pieces; any other body is held as a whole.
        conn.is_held_whole = not headers.get("CONTENT-TYPE", "").lower().startswith("multipart/form-data")

    def _begin(self, conn: Connection, body: Any) -> Then:
        """Run the application. Where it wants a body that has not come in, all of it will be run again once it has."""
        is_early = isinstance(body, waiting.AbsentBody)
        response, environ = wsgi.create(conn.request, conn.outgoing, conn.client, conn.server, self.cfg)
        environ["wsgi.multithread"] = True
        environ["wsgi.input"] = body
        waiting.install(environ, may_wait=conn.pool is Pool.PATIENT)
        if is_early or not self.alive or not self.cfg.keepalive:
            response.force_close()
        try:
            given = self.wsgi(environ, response.start_response)
        except waiting.WaitsError:
            return Then.WAIT
        except waiting.BodyNeededError:
            if conn.expects_continue:
                conn.outgoing.sendall(_CONTINUE)
            return Then.BODY
        self.nr += 1
        if isinstance(given, environ["wsgi.file_wrapper"]):
            conn.answer = Answer(response, given, iter(()))
            response.write_file(given)
        else:
            conn.answer = Answer(response, given, iter(given))
        return self._write(conn, conn.answer)

    def _write(self, conn: Connection, answer: Answer) -> Then:
        """Write on until the client takes no more, or all is written."""
        response = answer.response
        if conn.outgoing.is_behind():
            return Then.GO_ON
        for item in answer.items:
            response.write(item)
            if conn.outgoing.is_behind():
                return Then.GO_ON
        if not answer.is_written:
            answer.is_written = True
            response.close()
            if conn.outgoing.is_behind():
                return Then.GO_ON
        self.abandon(conn)
        return Then.CLOSE if response.should_close() or not self._finish_body(conn) else Then.NEXT

    def _finish_body(self, conn: Connection) -> bool:
        """Skip what the application has not read of the body. False where it is not known what comes after it."""
        try:
            return bool(conn.parser.finish_body(max_bytes=_SMALL))
        except (OSError, ParseException):
            return False

    def _refuse(self, conn: Connection, error: Exception) -> None:
        """Answer an error, unless an answer has begun: that can only be cut off."""
        if conn.answer is not None and conn.answer.has_begun:
            self.log.exception("Error sending an answer")
            return
        written = _Written()
        self.handle_error(conn.request, written, conn.client, error)
        status = int((written.data.split(maxsplit=2) or [b"", b"500"])[1])
        conn.outgoing.sendall(problem(status, _SENTENCES.get(status, HTTP_STATUS_CODES[status])))


def cost(conn: Connection) -> int:
    """Bytes of memory that reading the request's body takes, where that is worth counting."""
    return conn.received.size if conn.is_held_whole and conn.received.size > IN_MEMORY else 0
