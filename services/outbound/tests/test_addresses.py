from ipaddress import IPv4Address, ip_address

import pytest
from darkroom_outbound.addresses import embedded_ipv4, is_public
from darkroom_outbound.guard import Guard
from hypothesis import given
from hypothesis import strategies as st
from support.address_spellings import embeddings, private_addresses

NOBODYS = [
    "0.0.0.0", "0.1.2.3", "10.0.0.1", "100.64.0.1", "100.100.100.200", "127.0.0.1", "127.255.255.254", "168.63.129.16",
    "169.254.169.254", "172.16.0.1", "172.31.255.255", "192.0.0.1", "192.0.0.9", "192.0.0.192", "192.0.2.1",
    "192.88.99.1", "192.168.1.1", "198.18.0.1", "198.19.255.255", "198.51.100.7", "203.0.113.7", "224.0.0.1",
    "239.255.255.250", "240.0.0.1", "255.255.255.255",
    "::", "::1", "::2", "::10.0.0.1", "::127.0.0.1", "::8.8.8.8", "::ffff:127.0.0.1", "::ffff:0:10.0.0.1",
    "64:ff9b::127.0.0.1", "64:ff9b:1::8.8.8.8", "64:ff9b:1::10.0.0.1", "100::1", "2001::1", "2001:2::1", "2001:10::1",
    "2001:20::1", "2001:db8::1", "2002:7f00:1::", "2002:808:808::1", "3fff::1", "3fff:fff::1", "5f00::1", "fc00::1",
    "fd00:ec2::254", "fdff::1", "fe80::1", "fe80::5efe:10.0.0.1", "febf::1", "fec0::1", "feff::1", "ff02::1", "ff0e::1",
    "2a00:1450:4001:830:0:5efe:a00:1", "2a00:1450:4001:830:200:5efe:a00:1", "4000::1", "e000::1",
]  # fmt: skip

EVERYBODYS = [
    "1.1.1.1", "8.8.8.8", "11.0.0.1", "100.63.255.255", "100.128.0.1", "126.255.255.255", "172.32.0.1", "193.0.0.1",
    "223.255.255.255", "2606:4700:4700::1111", "2a00:1450:4001:830::200e", "::ffff:8.8.8.8",
    "2a00:1450:4001:830:0:5efe:808:808",
]  # fmt: skip


@pytest.mark.parametrize("text", NOBODYS)
def test_addresses_that_are_not_public_are_refused(text: str) -> None:
    assert not is_public(text)
    assert not Guard().permits(ip_address(text))


@pytest.mark.parametrize("text", EVERYBODYS)
def test_public_addresses_are_permitted(text: str) -> None:
    assert is_public(text)
    assert Guard().permits(ip_address(text))


@given(private_addresses())
def test_an_address_that_embeds_one_that_is_not_public_is_refused(address: IPv4Address) -> None:
    assert not is_public(address)
    for six in embeddings(address):
        assert not is_public(six), six
        assert not Guard().permits(six), six


@given(st.ip_addresses(v=4))
def test_every_embedding_is_unwrapped(address: IPv4Address) -> None:
    for six in embeddings(address):
        assert address in set(embedded_ipv4(six)), six


@given(st.ip_addresses(v=6, network="2000::/3"))
def test_whatever_the_library_refuses_is_refused_however_public_it_looks(address: object) -> None:
    guard = Guard()
    if guard.permits(ip_address(str(address))):
        assert is_public(str(address))


def test_what_is_allowed_opens_itself_and_nothing_that_hides_in_it() -> None:
    guard = Guard.parse(allow=["127.0.0.0/8", "64:ff9b::/96", "fd00::/8"])
    assert all(
        guard.permits(ip_address(text)) for text in ("127.9.9.9", "::ffff:127.0.0.1", "fd00::1", "64:ff9b::8.8.8.8")
    )
    assert not any(
        guard.permits(ip_address(text))
        for text in ("10.0.0.1", "64:ff9b::10.0.0.1", "fd00::5efe:10.0.0.1", "::127.0.0.1", "fe80::1")
    )
