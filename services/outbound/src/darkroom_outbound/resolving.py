"""Looking up the addresses of a host, once for each request."""

import socket
import threading
from collections.abc import Callable, Sequence
from ipaddress import ip_address
from queue import Empty, SimpleQueue

from darkroom_outbound.addresses import Address
from darkroom_outbound.errors import FetchTimeoutError, TemporaryError

Resolver = Callable[[str], Sequence[str]]
"""Gives the addresses of a host, or raises ``OSError``."""


def system_resolver(host: str) -> Sequence[str]:
    """Ask the system, which puts first what this machine can reach."""
    return [str(found[4][0]) for found in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)]


def resolve(host: str, *, resolver: Resolver, timeout: float) -> list[Address]:
    """Look up a host.

    Raises:
        TemporaryError: it has no address, or the lookup took too long.
    """
    # The system's lookup takes no timeout and cannot be interrupted, so it is left behind; it ends within its own.
    answers: SimpleQueue[Sequence[str] | OSError | UnicodeError] = SimpleQueue()

    def look_up() -> None:
        try:
            answers.put(resolver(host))
        except (OSError, UnicodeError) as error:
            answers.put(error)

    threading.Thread(target=look_up, name="resolver", daemon=True).start()
    try:
        answer = answers.get(timeout=max(timeout, 0.001))
    except Empty:
        raise FetchTimeoutError("Looking up the URL's host took too long.") from None
    if isinstance(answer, Exception) or not answer:
        raise TemporaryError("The URL's host could not be found.")
    return [ip_address(text) for text in answer]
