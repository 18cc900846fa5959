"""Which addresses may be reached: one table, and the rule that an allow-list opens exactly what it names."""

from __future__ import annotations

from ipaddress import IPv6Address, ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.addresses import why_refused, written_out

TABLE = """
0.0.0.0 this network
0.1.2.3 this network
10.0.0.0 private
10.255.255.255 private
100.64.0.1 carrier-grade NAT
100.127.255.255 carrier-grade NAT
127.0.0.1 loopback
127.255.255.254 loopback
169.254.0.1 link-local
169.254.169.254 link-local
172.16.0.1 private
172.31.255.255 private
192.0.0.1 protocol assignments
192.0.0.170 protocol assignments
192.0.2.1 documentation
192.88.99.1 6to4 relay
192.168.0.1 private
192.168.255.255 private
198.18.0.1 benchmarking
198.19.255.255 benchmarking
198.51.100.7 documentation
203.0.113.7 documentation
224.0.0.1 multicast
239.255.255.250 multicast
240.0.0.1 reserved
254.1.2.3 reserved
255.255.255.255 broadcast
:: unspecified
::1 loopback
::2 IPv4-compatible
::127.0.0.1 IPv4-compatible
::ffff:127.0.0.1 IPv4-mapped
::ffff:10.0.0.1 IPv4-mapped
::ffff:8.8.8.8 IPv4-mapped
::ffff:0:127.0.0.1 not global unicast
64:ff9b::7f00:1 NAT64
64:ff9b::808:808 NAT64
64:ff9b:1::1 NAT64
100::1 discard-only
200::1 not global unicast
1::1 not global unicast
2001::1 Teredo
2001:0:7f00:1:: Teredo
2001:2::1 protocol assignments
2001:10::1 protocol assignments
2001:20::1 protocol assignments
2001:1ff:ffff::1 protocol assignments
2001:db8::1 documentation
2002:7f00:1:: 6to4
2002:808:808::1 6to4
3fff::1 documentation
3fff:fff:ffff::1 documentation
4000::1 not global unicast
5f00::1 segment routing
fc00::1 unique local
fd12:3456:789a::1 unique local
fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff unique local
fe80::1 link-local
fe80::1%eth0 link-local
febf::1 link-local
fec0::1 site-local
ff02::1 multicast
ff0e::1 multicast
1.1.1.1 -
8.8.8.8 -
9.255.255.255 -
11.0.0.0 -
100.63.255.255 -
100.128.0.0 -
126.255.255.255 -
128.0.0.1 -
172.15.255.255 -
172.32.0.0 -
192.0.1.1 -
192.167.255.255 -
192.169.0.0 -
198.17.255.255 -
198.20.0.0 -
223.255.255.255 -
2001:200::1 -
2001:4860:4860::8888 -
2003::1 -
2606:4700:4700::1111 -
2a00:1450:4001::1 -
3ffe::1 -
""".strip().splitlines()
CASES = [(line.split(maxsplit=1)[0], line.split(maxsplit=1)[1]) for line in TABLE]


@pytest.mark.parametrize(("address", "why"), CASES)
def test_each_class_of_address_is_known(address: str, why: str) -> None:
    assert (why_refused(ip_address(address)) or "-") == why


def test_the_table_is_long_enough_to_trust() -> None:
    assert len({address for address, _ in CASES}) == len(CASES) >= 60


@pytest.mark.parametrize(
    ("address", "allow", "reached"),
    [
        ("127.0.0.1", "127.0.0.0/8", True),
        ("10.1.2.3", "127.0.0.0/8", False),
        ("192.168.7.9", "192.168.7.9/32", True),
        ("192.168.7.8", "192.168.7.9/32", False),
        ("::1", "127.0.0.0/8", False),
        ("::1", "::1/128", True),
        ("::ffff:127.0.0.1", "127.0.0.0/8", False),
        ("64:ff9b::7f00:1", "127.0.0.0/8", False),
        ("fe80::1%eth0", "fe80::/10", True),
        ("8.8.8.8", "10.0.0.0/8", True),
    ],
)
def test_the_allow_list_opens_exactly_what_it_names(address: str, allow: str, reached: bool) -> None:
    assert (why_refused(ip_address(address), [ip_network(allow)]) is None) is reached


@given(st.ip_addresses(v=4))
def test_no_wrapped_ipv4_address_is_ever_reached(address: object) -> None:
    wrapped = int(ip_address(str(address)))
    for prefix in ("::ffff:0:0", "::", "64:ff9b::"):
        assert why_refused(IPv6Address(int(IPv6Address(prefix)) + wrapped)) is not None


@given(st.ip_addresses())
def test_what_python_calls_private_is_never_reached(address: object) -> None:
    one = ip_address(str(address))
    if one.is_private or one.is_multicast or one.is_loopback or one.is_link_local or one.is_reserved:
        assert why_refused(one) is not None


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("127.0.0.1", "127.0.0.1"),
        ("127.0.0.1.", "127.0.0.1"),
        ("127.1", "127.0.0.1"),
        ("2130706433", "127.0.0.1"),
        ("0x7f.0.0.1", "127.0.0.1"),
        ("0177.0.0.1", "127.0.0.1"),
        ("localhost", "127.0.0.1"),
        ("LocalHost.", "127.0.0.1"),
        ("app.localhost", "127.0.0.1"),
        ("::1", "::1"),
        ("fe80::1%25eth0", "fe80::1"),
        ("::ffff:10.0.0.1", "::ffff:10.0.0.1"),
        ("93.184.216.34", "93.184.216.34"),
        ("shop.example", None),
        ("localhost.example", None),
        ("10.shop.example", None),
        ("127.0.0.1 x", None),
        ("1.2.3.4.5", None),
        ("", None),
    ],
)
def test_an_address_is_known_by_every_spelling_that_the_system_reads(host: str, address: str | None) -> None:
    assert written_out(host) == (ip_address(address) if address else None)
