"""Which addresses strangers may send us to: public ones, whatever their spelling.

Libraries let through what is rare: requests-hardened 1.3 ``::127.0.0.1``, ISATAP and ``fec0::1``, microsoft-antissrf
1.0 ``::10.0.0.1`` and ``::ffff:0:10.0.0.1``. So this predicate stands beside one, and both have to agree.
"""

from collections.abc import Iterator
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_REFUSED_IPV4 = tuple(
    map(
        IPv4Network,
        (
            "0.0.0.0/8",  # this host, on this network
            "10.0.0.0/8",
            "100.64.0.0/10",  # shared by providers (CGNAT)
            "127.0.0.0/8",
            "168.63.129.16/32",  # looks public, yet answers every machine in Azure about itself
            "169.254.0.0/16",  # link-local, with the metadata of most clouds
            "172.16.0.0/12",
            "192.0.0.0/24",  # protocol assignments
            "192.0.2.0/24",  # documentation
            "192.88.99.0/24",  # relays of 6to4
            "192.168.0.0/16",
            "198.18.0.0/15",  # benchmarking
            "198.51.100.0/24",  # documentation
            "203.0.113.0/24",  # documentation
            "224.0.0.0/4",  # multicast
            "240.0.0.0/4",  # reserved, with broadcast
        ),
    )
)

# Everything else is refused: only this block of IPv6 is given out as global unicast, and NAT64 stands for IPv4.
_GLOBAL_IPV6 = IPv6Network("2000::/3")
_NAT64 = IPv6Network("64:ff9b::/96")

_REFUSED_IPV6 = tuple(
    map(
        IPv6Network,
        (
            "2001::/23",  # protocol assignments: Teredo, ORCHID, benchmarking, ...
            "2001:db8::/32",  # documentation
            "2002::/16",  # 6to4
            "3fff::/20",  # documentation
        ),
    )
)

# Where the last 32 bits of an IPv6 address are an IPv4 address.
_ENDS_IN_IPV4 = tuple(
    map(
        IPv6Network,
        (
            "::/96",  # compatible
            "::ffff:0:0/96",  # mapped
            "::ffff:0:0:0/96",  # translated (SIIT)
            "64:ff9b::/96",  # NAT64
            "64:ff9b:1::/48",  # NAT64 within a network, by its usual prefix length of 96
        ),
    )
)
_LOCAL_NAT64 = IPv6Network("64:ff9b:1::/48")
_ISATAP = frozenset({0x0000_5EFE, 0x0200_5EFE})
"""The upper half of an interface's id where the lower is an IPv4 address (RFC 5214)."""


def embedded_ipv4(address: Address) -> Iterator[IPv4Address]:
    """Each IPv4 address that a packet to this IPv6 address may end up at."""
    if isinstance(address, IPv4Address):
        return
    number = int(address)
    if any(address in network for network in _ENDS_IN_IPV4) or (number >> 32) & 0xFFFF_FFFF in _ISATAP:
        yield IPv4Address(number & 0xFFFF_FFFF)
    if address in _LOCAL_NAT64:
        # RFC 6052: behind a prefix of 48 or 64 bits the address goes around the byte of zeros at bit 64.
        yield IPv4Address(((number >> 64) & 0xFFFF) << 16 | (number >> 40) & 0xFFFF)
        yield IPv4Address((number >> 24) & 0xFFFF_FFFF)
    if address.sixtofour:
        yield address.sixtofour
    if address.teredo:
        yield from address.teredo


def parts(address: Address) -> frozenset[Address]:
    """The addresses that have to be in order for this one to be: itself, and each that it embeds."""
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        return frozenset({address.ipv4_mapped})  # which is but another way to write it
    return frozenset({address, *embedded_ipv4(address)})


def is_public(address: Address | str) -> bool:
    """Whether the address is one of the public internet, and so is each that it embeds."""
    return all(map(_is_public, parts(ip_address(address))))


def _is_public(address: Address) -> bool:
    if isinstance(address, IPv4Address):
        return address.is_global and not any(address in network for network in _REFUSED_IPV4)
    if address.scope_id:
        return False
    if address in _NAT64:
        return True  # if what it embeds is
    return address in _GLOBAL_IPV6 and address.is_global and not any(address in network for network in _REFUSED_IPV6)
