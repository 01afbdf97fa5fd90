"""HTTP to strangers: each request goes to an address that was looked up once, judged, and is then connected to."""

import http.client
import logging
import socket
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import certifi
from requests import PreparedRequest, Response, Session
from requests.adapters import HTTPAdapter
from requests.exceptions import ConnectTimeout, InvalidHeader, InvalidURL, ReadTimeout, RequestException, SSLError
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError
from urllib3.util import create_urllib3_context

from darkroom_outbound.addresses import Address
from darkroom_outbound.errors import AnsweredError, FetchTimeoutError, TemporaryError
from darkroom_outbound.guard import Guard
from darkroom_outbound.host_slots import HostSlots
from darkroom_outbound.resolving import Resolver, resolve, system_resolver
from darkroom_outbound.urls import Target
from darkroom_outbound.watch import Watch

PIECE = 65_536
"""Bytes read at once."""

USER_AGENT = "Darkroom/0.1"

logging.getLogger("urllib3").setLevel(logging.INFO)  # below, it writes down URLs, which may be as good as passwords

_TOO_LONG = "The URL's server took too long."


def tls_context(ca: str | None = None) -> ssl.SSLContext:
    """What certificates are checked by: the public authorities, and those in the file ``ca``.

    Raises:
        OSError: the file cannot be read, or holds no certificates.
    """
    context = create_urllib3_context()
    context.load_verify_locations(certifi.where())
    if ca:
        context.load_verify_locations(ca)
    return context


@dataclass(frozen=True)
class Client:
    """Sends single requests. Shared by the threads of a process; keeps no connection and no cookie.

    Attributes:
        guard: decides where they may go.
        slots: how many may go to one host.
        tls: what certificates are checked by.
        connect_timeout: seconds for opening a connection.
        proxy: the URL of a proxy that all go through.
        resolver: looks hosts up.
    """

    guard: Guard
    slots: HostSlots = field(default_factory=lambda: HostSlots(4))
    tls: ssl.SSLContext = field(default_factory=tls_context)
    connect_timeout: float = 10.0
    proxy: str | None = None
    resolver: Resolver = system_resolver

    @contextmanager
    def send(
        self, method: str, target: Target, watch: Watch, *, headers: Mapping[str, str], body: bytes | None = None
    ) -> Iterator["Answer"]:
        """Send a request, and follow no redirect.

        Raises:
            UrlRefusedError: it must not go there.
            TemporaryError: the server cannot be reached, or its answer ends early.
            AnsweredError: it is no server that can be spoken with.
            HostBusyError: it has enough requests to answer.
        """
        address = self._locate(target, watch)
        with self.slots.hold(target.host, str(address)), Session() as session:
            session.trust_env = False  # no proxy and no password that happens to lie around
            session.mount("http://", _PinnedAdapter(target, watch, self.tls))
            session.mount("https://", _PinnedAdapter(target, watch, self.tls))
            with _explained(watch):
                response = session.send(
                    self._prepare(method, target, address, headers, body),
                    stream=True,
                    allow_redirects=False,
                    timeout=(min(self.connect_timeout, watch.left), watch.left),
                    proxies={"http": self.proxy, "https": self.proxy} if self.proxy else {},
                )
            with response:
                yield Answer(target, response, watch)

    def _locate(self, target: Target, watch: Watch) -> Address:
        self.guard.check_host(target.host)
        literal = target.address
        addresses = [literal] if literal else resolve(target.host, resolver=self.resolver, timeout=watch.left)
        return self.guard.choose(target.host, target.port, addresses)

    def _prepare(
        self, method: str, target: Target, address: Address, headers: Mapping[str, str], body: bytes | None
    ) -> PreparedRequest:
        request = PreparedRequest()
        pinned = target.at(address)
        request.prepare(
            method=method,
            url=pinned,
            headers={
                "Host": target.authority,
                "User-Agent": USER_AGENT,
                "Accept-Encoding": "identity",  # what is not unpacked is no larger than it looks
                "Connection": "close",
                **headers,
            },
            data=body,
        )
        # A proxy takes the host of a plain request from its URL, and looks it up again; a TLS tunnel is pinned.
        request.url = target.url if self.proxy and target.scheme == "http" else pinned
        return request


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server answered. Its body is still under way."""

    target: Target
    _response: Response
    _watch: Watch

    @property
    def status(self) -> int:
        """The status of HTTP."""
        return self._response.status_code

    def header(self, name: str) -> str | None:
        """A header, as text."""
        value = self._response.headers.get(name)
        try:  # http.client reads headers as Latin-1, while servers write UTF-8
            return value if value is None else value.encode("latin-1").decode()
        except UnicodeError:
            return value

    @property
    def length(self) -> int | None:
        """Bytes of the body, as far as the server says it."""
        text = self.header("Content-Length") or ""
        return int(text) if text.isascii() and text.isdigit() and len(text) < 20 else None

    def pieces(self) -> Iterator[bytes]:
        """The body, as it comes.

        Raises:
            TemporaryError: it ends early, or does not end in time.
        """
        # Not by `stream`, whose lines between chunks may be as long as the server likes.
        while True:
            with _explained(self._watch):
                piece: bytes = self._response.raw.read(PIECE, decode_content=False)
            if not piece:
                return
            yield piece


class _PinnedAdapter(HTTPAdapter):
    """Connects to the address in the URL, and speaks to the host that it was looked up for."""

    def __init__(self, target: Target, watch: Watch, tls: ssl.SSLContext) -> None:
        self._target = target
        self._watch = watch
        self._tls = tls
        super().__init__()

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs, ssl_context=self._tls)

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
        return super().proxy_manager_for(proxy, **kwargs, ssl_context=self._tls)

    def cert_verify(self, *_: Any) -> None:
        """Leave it to the context, which has read the authorities already."""

    def build_connection_pool_key_attributes(self, request: Any, verify: Any, cert: Any = None) -> Any:
        host: Any
        pool: Any
        host, pool = super().build_connection_pool_key_attributes(request, verify, cert)
        if self._target.scheme == "https":
            pool["server_hostname"] = self._target.host  # by which its certificate is checked, too
        return host, pool

    def get_connection_with_tls_context(self, *args: Any, **kwargs: Any) -> Any:
        pool: Any = super().get_connection_with_tls_context(*args, **kwargs)
        kind = _WatchedTls if self._target.scheme == "https" else _Watched
        pool.ConnectionCls = partial(kind, watch=self._watch)
        return pool


class _Watched(HTTPConnection):
    def __init__(self, *args: Any, watch: Watch, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._watch = watch

    def _new_conn(self) -> socket.socket:
        connection = super()._new_conn()
        self._watch.guard(connection)
        return connection


class _WatchedTls(HTTPSConnection):
    def __init__(self, *args: Any, watch: Watch, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._watch = watch

    def _new_conn(self) -> socket.socket:
        connection = super()._new_conn()
        self._watch.guard(connection)
        return connection


@contextmanager
def _explained(watch: Watch) -> Iterator[None]:
    """Say what went wrong on the way, in a sentence that names nothing within."""
    try:
        yield
    except (RequestException, HTTPError, http.client.HTTPException, OSError, ValueError) as error:
        if watch.expired or isinstance(error, ReadTimeout):
            raise FetchTimeoutError(_TOO_LONG) from error
        if isinstance(error, ConnectTimeout):
            raise FetchTimeoutError("The URL's server could not be reached in time.") from error
        if isinstance(error, SSLError) and isinstance(_root(error), ssl.SSLCertVerificationError):
            raise AnsweredError("The certificate of the URL's server is not valid.") from error
        if isinstance(error, (InvalidURL, InvalidHeader)) or type(error) is ValueError:
            raise AnsweredError("The URL's server did not answer as HTTP asks for.") from error
        raise TemporaryError("The URL's server could not be reached, or its answer ended early.") from error
    if watch.expired:  # a connection that was ended reads like a body that did
        raise FetchTimeoutError(_TOO_LONG)


def _root(error: BaseException) -> BaseException:
    while error.args and isinstance(error.args[0], BaseException):
        error = error.args[0]
    reason = getattr(error, "reason", None)
    while isinstance(reason, BaseException):
        error, reason = reason, getattr(reason, "reason", None)
    return error.args[0] if error.args and isinstance(error.args[0], BaseException) else error
