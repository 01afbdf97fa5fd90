"""All the ways to write an IPv4 address that some resolver, browser or library takes for it."""

from ipaddress import IPv4Address, IPv4Network, IPv6Address

from hypothesis import strategies as st

NOT_PUBLIC = [
    IPv4Network(network)
    for network in (
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
        "192.0.2.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4",
        "240.0.0.0/4",
    )
]  # fmt: skip


def private_addresses() -> st.SearchStrategy[IPv4Address]:
    """An address that nobody outside may be sent to."""
    return st.sampled_from(NOT_PUBLIC).flatmap(
        lambda network: st.integers(int(network[0]), int(network[-1])).map(IPv4Address)
    )


def embeddings(address: IPv4Address) -> list[IPv6Address]:
    """The IPv6 addresses that lead to it, or may."""
    four = int(address)
    inverted = four ^ 0xFFFF_FFFF
    prefix = int(IPv6Address("2a00:1450:4001:830::"))
    public = int(IPv4Address("8.8.8.8"))
    return [
        IPv6Address(four),  # ::a.b.c.d
        IPv6Address(0xFFFF << 32 | four),  # ::ffff:a.b.c.d
        IPv6Address(0xFFFF << 48 | four),  # ::ffff:0:a.b.c.d
        IPv6Address(int(IPv6Address("64:ff9b::")) | four),
        IPv6Address(int(IPv6Address("64:ff9b:1::")) | four),
        IPv6Address(int(IPv6Address("64:ff9b:1:ffff::")) | four),
        IPv6Address(0x2002 << 112 | four << 80 | 1),
        IPv6Address(0x2001_0000 << 96 | four << 64 | 0xFFFF_FFFF ^ public),
        IPv6Address(0x2001_0000 << 96 | public << 64 | inverted),
        IPv6Address(prefix | 0x5EFE << 32 | four),
        IPv6Address(prefix | 0x0200_5EFE << 32 | four),
        IPv6Address(int(IPv6Address("fe80::")) | 0x5EFE << 32 | four),
    ]


def hosts(address: IPv4Address) -> list[str]:
    """How its host may be written in a URL."""
    a, b, c, d = address.packed
    number = int(address)
    dotted = str(address)
    wide = dotted.translate({ord("0") + digit: 0xFF10 + digit for digit in range(10)})
    written = [
        dotted,
        f"{dotted}.",
        f"{dotted}..",
        str(number),
        f"{number}.",
        hex(number),
        hex(number).upper(),
        f"0{number:o}",
        f"0x{a:x}.0x{b:x}.0x{c:x}.0x{d:x}",
        f"0{a:o}.0{b:o}.0{c:o}.0{d:o}",
        f"000{a:o}.{b}.{c}.{d}",
        f"{a}.{b}.{c}.0x{d:x}",
        f"{a}.{number & 0xFFFFFF}",
        f"{a}.{b}.{number & 0xFFFF}",
        f"0x{a:x}.{number & 0xFFFFFF}",
        str(number + 2**32),
        wide,
        dotted.replace(".", "\u3002"),
        dotted.replace(".", "\uff0e"),
        dotted.replace(".", "\uff61"),
        dotted.replace(".", "%2e"),
        "".join(f"%{ord(letter):02x}" for letter in dotted),
        f"%25{dotted}",
        f"{dotted}%00.example.com",
        f"{dotted}%20",
        f"user@{dotted}",
        f"example.com@{dotted}",
        f"example.com:80@{dotted}",
        f"example.com%40{dotted}",
        f"{dotted}\\@example.com",
        f"{dotted}\t",
        f"[{dotted}]",
        f"[v1.{dotted}]",
    ]
    for six in embeddings(address):
        written += [f"[{six}]", f"[{six.exploded}]", f"[{six.exploded.upper()}]", f"[{six}%25eth0]", f"[{six}%1]"]
    written += [f"[::{dotted}]", f"[::ffff:{dotted}]", f"[::ffff:0:{dotted}]", f"[64:ff9b::{dotted}]"]
    return written
