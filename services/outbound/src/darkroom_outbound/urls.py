"""A URL that a stranger gave us, taken apart once: what is connected to is what was read here."""

import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Literal
from urllib.parse import urljoin

import idna
from darkroom_contracts.limits import MAX_URL
from darkroom_contracts.problems import ProblemCode
from urllib3.exceptions import LocationParseError
from urllib3.util import Url, parse_url

from darkroom_outbound.addresses import Address
from darkroom_outbound.errors import UrlRefusedError

_DEFAULT_PORTS = {"http": 80, "https": 443}
_UNWRITTEN = re.compile(r"[\x00-\x20\x7f-\x9f\\]")
_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
_FULL_STOPS = str.maketrans(dict.fromkeys("\u3002\uff0e\uff61", "."))


@dataclass(frozen=True, slots=True)
class Target:
    """Where a request goes.

    Attributes:
        scheme: how it is spoken to.
        host: its name in lower case, ASCII and without a trailing dot, or its address.
        port: where it listens.
        path: path and query, as they are sent.
    """

    scheme: Literal["http", "https"]
    host: str
    port: int
    path: str

    @property
    def address(self) -> Address | None:
        """The host, where it is an address already."""
        return _address(self.host)

    @property
    def authority(self) -> str:
        """The host as the header ``Host`` says it."""
        return _authority(self.host, None if self.port == _DEFAULT_PORTS[self.scheme] else self.port)

    @property
    def url(self) -> str:
        """The whole, as it was understood."""
        return f"{self.scheme}://{self.authority}{self.path}"

    def at(self, address: Address) -> str:
        """The URL with an address in place of the host."""
        return f"{self.scheme}://{_authority(str(address), self.port)}{self.path}"


def parse(url: str) -> Target:
    """Read a URL.

    Raises:
        UrlRefusedError: it is none of HTTP, or its host is written in a way that others may read differently.
    """
    if len(url) > MAX_URL:
        raise UrlRefusedError(f"The URL is too long: {len(url):,} characters; the limit is {MAX_URL:,}.")
    if _UNWRITTEN.search(url):
        raise UrlRefusedError("The URL contains spaces, backslashes or control characters; percent-encode them.")
    try:
        parsed = parse_url(url)
    except LocationParseError:
        raise UrlRefusedError("The URL cannot be parsed.", code=ProblemCode.INVALID_URL) from None
    scheme = parsed.scheme
    if scheme not in ("http", "https"):
        raise UrlRefusedError("Only http and https URLs can be fetched.")
    if parsed.auth is not None or "@" in (parsed.netloc or ""):
        raise UrlRefusedError("The URL must not contain a user name or password.")
    port = _DEFAULT_PORTS[scheme] if parsed.port is None else parsed.port
    if not 0 < port < 65_536:
        raise UrlRefusedError("The URL's port is not valid.", code=ProblemCode.INVALID_URL)
    return Target("https" if scheme == "https" else "http", _host(parsed), port, parsed.request_uri)


def follow(target: Target, location: str) -> Target:
    """Where a redirect leads.

    Raises:
        UrlRefusedError: as for any URL.
    """
    return parse(urljoin(target.url, location.partition("#")[0].strip().replace(" ", "%20")))


def is_proxy(url: str) -> bool:
    """Whether this is the URL of a proxy, with a password perhaps."""
    try:
        parsed = parse_url(url)
    except LocationParseError:
        return False
    return parsed.scheme in ("http", "https") and bool(parsed.host)


def normalize_host(name: str) -> str:
    """A host name or address, in the one way that it is compared in.

    Raises:
        UrlRefusedError: it is none, or may be read as more than one.
    """
    if name.startswith("["):
        return _ipv6(name[1:].removesuffix("]"))
    if "%" in name:
        raise UrlRefusedError("The URL's host must not contain percent escapes.")
    name = name.translate(_FULL_STOPS)
    if not name.isascii():
        name = _to_ascii(name)
    name = name.lower().removesuffix(".")
    labels = name.split(".")
    if _NUMBER.fullmatch(labels[-1]):  # what resolvers take for an address, in octal, hexadecimal or shortened, too
        return _ipv4(name)
    if len(name) > 253 or not all(map(_LABEL.fullmatch, labels)):
        raise UrlRefusedError("The URL's host is not a valid name.", code=ProblemCode.INVALID_URL)
    return name


def _host(parsed: Url) -> str:
    if not parsed.host:
        raise UrlRefusedError("The URL has no host.", code=ProblemCode.INVALID_URL)
    return normalize_host(parsed.host)


def _to_ascii(name: str) -> str:
    try:
        return idna.encode(name, uts46=True, transitional=False).decode("ascii")
    except (idna.IDNAError, UnicodeError):
        raise UrlRefusedError("The URL's host is not a valid name.", code=ProblemCode.INVALID_URL) from None


def _ipv4(name: str) -> str:
    try:
        return str(IPv4Address(name))
    except ValueError:
        raise UrlRefusedError("Write an IPv4 address as four decimal numbers without leading zeros.") from None


def _ipv6(name: str) -> str:
    try:
        address = IPv6Address(name)
    except ValueError:
        raise UrlRefusedError("The URL's IPv6 address is not valid.", code=ProblemCode.INVALID_URL) from None
    if address.scope_id:
        raise UrlRefusedError("The URL's IPv6 address must not name a network interface.")
    return str(address)


def _address(host: str) -> Address | None:
    try:
        return ip_address(host)
    except ValueError:
        return None


def _authority(host: str, port: int | None) -> str:
    name = f"[{host}]" if ":" in host else host
    return name if port is None else f"{name}:{port}"
