"""What a browser says of the page that a request comes from, and whether that page may send it.

A service without keys trusts whoever reaches it. A browser on the same machine reaches it for any page that is open in
it, so what such a page sends must be told apart. Programs that are no browsers send none of these headers.
"""

import socket
from collections.abc import Iterable
from ipaddress import ip_address
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import BeforeValidator, Field
from pydantic_settings import NoDecode

from darkroom_runtime.settings import Settings

ANY = "*"


def _split(value: Any) -> Any:
    return tuple(name.strip().lower() for name in value.split(",") if name.strip()) if isinstance(value, str) else value


class HostSettings(Settings):
    """Settings of a process that serves browsers."""

    allowed_hosts: Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split)] = Field(
        (),
        description="More names that a service without keys is reached by, separated by commas. One with a leading dot "
        "stands for all below it, `*` for any.",
    )

    def own_names(self, *others: str) -> frozenset[str]:
        """The names under which this process may be asked."""
        return frozenset({socket.gethostname().lower(), ".localhost", *self.allowed_hosts, *map(str.lower, others)})


def is_own_host(host: str, names: Iterable[str]) -> bool:
    """Whether a request's Host header has one of these names, or an address.

    A page can let a name of its own lead to this machine once it is open (DNS rebinding), and then is of the same
    origin as we are. It cannot do so with an address, so that any address will do.
    """
    name, _ = _authority(f"//{host}")
    try:
        ip_address(name)
    except ValueError:
        return any(_matches(name, known) for known in names)
    return True


def is_cross_site(fetch_site: str | None, origin: str | None, own_hosts: Iterable[str]) -> bool:
    """Whether a request was sent by a page of somebody else.

    Args:
        fetch_site: its header Sec-Fetch-Site, which no page can forge. Not sent to plain HTTP beyond this machine.
        origin: its header Origin.
        own_hosts: host and port of where we are reached.
    """
    if fetch_site is not None:
        return fetch_site not in {"same-origin", "none"}  # "none": typed in, or opened from a bookmark
    if origin is None:
        return False
    sender = _authority(origin)
    return not sender[0] or sender not in {_authority(f"//{host}") for host in own_hosts}


def _matches(name: str, known: str) -> bool:
    return known in {ANY, name} or (known.startswith(".") and f".{name}".endswith(known))


def _authority(url: str) -> tuple[str, int | None]:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return "", None
    return parts.hostname or "", None if port in {80, 443} else port
