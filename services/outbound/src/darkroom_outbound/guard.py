"""Which hosts and addresses requests may go to."""

from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import ip_address, ip_network

from requests_hardened.ip_filter import InvalidIPAddress, filter_host

from darkroom_outbound.addresses import Address, Network, is_public, parts
from darkroom_outbound.errors import UrlRefusedError
from darkroom_outbound.urls import normalize_host


@dataclass(frozen=True, slots=True)
class HostPatterns:
    """Names of hosts; one that begins with ``*.`` stands for all names below it."""

    patterns: frozenset[str]

    @classmethod
    def parse(cls, texts: Iterable[str]) -> "HostPatterns":
        """Read them as they are written in a setting.

        Raises:
            ValueError: one of them is no host; the message names it.
        """
        return cls(frozenset(map(_host_pattern, texts)))

    def match(self, host: str) -> bool:
        """Whether the host is one of them."""
        if host in self.patterns:
            return True
        labels = host.split(".")
        return any("*." + ".".join(labels[place:]) in self.patterns for place in range(1, len(labels)))


@dataclass(frozen=True, slots=True)
class Guard:
    """Decides where requests may go.

    Attributes:
        networks: addresses that are allowed although they are not public.
        allowed: hosts that are allowed whatever their address.
        only: the only hosts that are allowed, where there are any.
    """

    networks: tuple[Network, ...] = ()
    allowed: HostPatterns = HostPatterns(frozenset())
    only: HostPatterns = HostPatterns(frozenset())

    @classmethod
    def parse(cls, allow: Iterable[str] = (), hosts: Iterable[str] = ()) -> "Guard":
        """Read what ``DARKROOM_OUTBOUND_ALLOW`` and ``DARKROOM_OUTBOUND_HOSTS`` say.

        Raises:
            ValueError: a sentence that names what is wrong.
        """
        networks: list[Network] = []
        names: list[str] = []
        for text in allow:
            if (network := _network(text)) is None:
                names.append(text)
            else:
                networks.append(network)
        return cls(tuple(networks), HostPatterns.parse(names), HostPatterns.parse(hosts))

    def check_host(self, host: str) -> None:
        """Refuse a host that is none of those that requests are limited to.

        Raises:
            UrlRefusedError: it is.
        """
        if self.only.patterns and not self.only.match(host):
            raise UrlRefusedError("This server does not fetch from this host.")

    def choose(self, host: str, port: int, addresses: Iterable[Address]) -> Address:
        """Choose the address to connect to.

        Raises:
            UrlRefusedError: the host has none that is allowed.
        """
        for address in addresses:
            if self.allowed.match(host) or self.permits(address, port):
                return address
        raise UrlRefusedError("The URL's host is not on the public internet.")

    def permits(self, address: Address, port: int = 443) -> bool:
        """Whether requests may go to this address: it, and each that it embeds, is public or allowed."""
        together = parts(address)
        if any(self._is_allowed(part) for part in together):
            return all(self._is_allowed(part) or is_public(part) for part in together)
        return is_public(address) and _library_permits(address, port)

    def _is_allowed(self, address: Address) -> bool:
        return any(address in network for network in self.networks)


def _library_permits(address: Address, port: int) -> bool:
    try:
        filter_host(str(address), port, allow_loopback=False)  # an address is not looked up
    except InvalidIPAddress:
        return False
    return True


def _network(text: str) -> Network | None:
    try:
        return ip_network(text.removeprefix("[").removesuffix("]"))
    except ValueError:
        if "/" in text:
            raise ValueError(f"{text!r} is not a network, such as 192.168.1.0/24") from None
        return None


def _host_pattern(text: str) -> str:
    wildcard, name = ("*.", text[2:]) if text.startswith("*.") else ("", text)
    try:
        return wildcard + normalize_host(f"[{name}]" if _is_ipv6(name) else name)
    except UrlRefusedError:
        raise ValueError(f"{text!r} is not a host, such as example.com or *.example.com") from None


def _is_ipv6(name: str) -> bool:
    try:
        return ip_address(name).version == 6
    except ValueError:
        return False
