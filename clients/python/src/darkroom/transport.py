"""Requests to a server, and again where that is safe and may help."""

import random
import threading
import time
from collections.abc import Callable, Mapping
from http.cookiejar import DefaultCookiePolicy
from importlib.metadata import version
from typing import Any, BinaryIO

import requests

from darkroom.errors import ProblemError, UnexpectedAnswerError, problem_of, retry_after, unreachable

Body = Callable[[], BinaryIO | bytes]
"""Opens the body of a request, anew for each attempt."""

TRANSIENT = (requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError)
_AGAIN = frozenset({429, 502, 503, 504})
_NOT_TAKEN = frozenset({429, 503})
"""Said by the server itself, which has done nothing. The others may come from a proxy, and the server have done it."""
_IN_USE = "idempotency_key_in_use"
_UNMET = 3.0
"""Seconds for which a server is tried that has never answered: it is probably not there."""
_FIRST_PAUSE = 0.25
_LONGEST_PAUSE = 8.0


class _Bearer(requests.auth.AuthBase):
    """The key as a header. As such alone, requests would let a .netrc replace it."""

    def __init__(self, key: str | None) -> None:
        self._key = key

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        if self._key:
            request.headers["Authorization"] = f"Bearer {self._key}"
        return request


class Transport:
    """Speaks HTTP to one server. Threads may share it.

    Args:
        url: of the server, possibly with a path.
        api_key: to send along.
        timeout: seconds that the server may be silent.
        retry_for: seconds for which a request that failed for the moment is sent again.
    """

    def __init__(self, url: str, api_key: str | None, *, timeout: float, retry_for: float) -> None:
        self.url = url.rstrip("/")
        self.timeout = timeout
        self.retry_for = retry_for
        self._has_answered = False
        self._auth = _Bearer(api_key)
        self._local = threading.local()
        self._sessions: list[requests.Session] = []

    def close(self) -> None:
        """Close all connections."""
        while self._sessions:
            self._sessions.pop().close()

    def json(self, method: str, path: str, **options: Any) -> Any:
        """Send a request and return what its answer says.

        Args:
            method: of the request.
            path: below the server's URL.
            options: those of `send`.

        Raises:
            DarkroomError: there is no answer, or it is a refusal.
        """
        response = self.send(method, path, **options)
        try:
            return response.json()
        except ValueError:
            raise UnexpectedAnswerError(
                f"{self.url} does not answer as a Darkroom server does. Check its address."
            ) from None

    def send(
        self,
        method: str,
        path: str,
        *,
        repeatable: bool = True,
        params: Mapping[str, str | int] | None = None,
        headers: Mapping[str, str] | None = None,
        json: Any = None,
        body: Body | None = None,
        stream: bool = False,
        timeout: float | None = None,
        on_retry: Callable[[], None] | None = None,
    ) -> requests.Response:
        """Send a request until it is answered, refused, or the time for it is over.

        Args:
            method: of the request.
            path: below the server's URL.
            repeatable: whether doing it twice is the same as doing it once. Otherwise it is only sent again where
                the server cannot have taken it.
            params: of the query.
            headers: of the request.
            json: the body, as JSON.
            body: the body, in another form.
            stream: whether the answer is read by the caller.
            timeout: seconds that the server may be silent, if other than usual.
            on_retry: called before it is sent again.

        Raises:
            DarkroomError: there is no answer, or it is a refusal.
        """
        began = time.monotonic()
        pause = _FIRST_PAUSE
        while True:
            wait: float | None = None
            try:
                response = self._send_once(method, path, params, headers, json, body, stream, timeout)
            except TRANSIENT as error:
                if not (repeatable or _never_arrived(error)):
                    raise unreachable(self.url, error) from error
                failure: Exception = unreachable(self.url, error)
            except requests.RequestException as error:
                raise unreachable(self.url, error) from error
            else:
                self._has_answered = True
                if response.status_code < 400:
                    return response
                problem = problem_of(response)
                wait = retry_after(response)
                response.close()
                if not _may_pass(problem, repeatable=repeatable):
                    raise problem
                failure = problem
            pause_now = wait if wait is not None else pause * random.uniform(0.5, 1)  # noqa: S311
            patience = self.retry_for if self._has_answered else min(self.retry_for, _UNMET)
            if time.monotonic() + pause_now > began + patience:
                raise failure
            time.sleep(pause_now)
            if on_retry:
                on_retry()
            pause = min(pause * 2, _LONGEST_PAUSE)

    def _send_once(
        self,
        method: str,
        path: str,
        params: Mapping[str, str | int] | None,
        headers: Mapping[str, str] | None,
        json: Any,
        body: Body | None,
        stream: bool,
        timeout: float | None,
    ) -> requests.Response:
        data = body() if body else None
        try:
            return self._session().request(
                method,
                f"{self.url}{path}",
                params=params,
                headers=headers,
                json=json,
                data=data,
                stream=stream,
                timeout=(10, timeout or self.timeout),
            )
        finally:
            if data is not None and not isinstance(data, bytes):
                data.close()

    def _session(self) -> requests.Session:
        session: requests.Session | None = getattr(self._local, "session", None)
        if session is None:
            session = self._local.session = requests.Session()
            session.auth = self._auth
            session.headers["User-Agent"] = f"darkroom-python/{version('darkroom')}"
            session.headers["Accept"] = "*/*"
            session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
            self._sessions.append(session)
        return session


def _never_arrived(error: Exception) -> bool:
    return isinstance(error, requests.exceptions.ConnectTimeout) or "NewConnectionError" in repr(error)


def _may_pass(problem: ProblemError, *, repeatable: bool) -> bool:
    if problem.code == _IN_USE:
        return True
    return problem.status in (_AGAIN if repeatable else _NOT_TAKEN)
