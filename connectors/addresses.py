"""Which addresses the server may talk to: global unicast, and private networks only where the owner allows them."""

from __future__ import annotations

import socket
from collections.abc import Iterable
from contextlib import suppress
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from connectors.wording import phrase

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

# From the IANA special-purpose address registries (RFC 6890 and its updates), most specific first. Python's own
# `is_global` has changed its mind between releases, and translation prefixes would smuggle a private address in.
REFUSED: tuple[tuple[Network, str], ...] = tuple(
    (ip_network(network), why)
    for network, why in (
        ("0.0.0.0/8", phrase("this network")),
        ("10.0.0.0/8", phrase("private")),
        ("100.64.0.0/10", phrase("carrier-grade NAT")),
        ("127.0.0.0/8", phrase("loopback")),
        ("169.254.0.0/16", phrase("link-local")),
        ("172.16.0.0/12", phrase("private")),
        ("192.0.0.0/24", phrase("protocol assignments")),
        ("192.0.2.0/24", phrase("documentation")),
        ("192.88.99.0/24", phrase("6to4 relay")),
        ("192.168.0.0/16", phrase("private")),
        ("198.18.0.0/15", phrase("benchmarking")),
        ("198.51.100.0/24", phrase("documentation")),
        ("203.0.113.0/24", phrase("documentation")),
        ("224.0.0.0/4", phrase("multicast")),
        ("255.255.255.255/32", phrase("broadcast")),
        ("240.0.0.0/4", phrase("reserved")),
        ("::/128", phrase("unspecified")),
        ("::1/128", phrase("loopback")),
        ("::ffff:0:0/96", phrase("IPv4-mapped")),
        ("::/96", phrase("IPv4-compatible")),
        ("64:ff9b::/96", "NAT64"),
        ("64:ff9b:1::/48", "NAT64"),
        ("100::/64", phrase("discard-only")),
        ("2001::/32", "Teredo"),
        ("2001::/23", phrase("protocol assignments")),
        ("2001:db8::/32", phrase("documentation")),
        ("2002::/16", "6to4"),
        ("3fff::/20", phrase("documentation")),
        ("5f00::/16", phrase("segment routing")),
        ("fc00::/7", phrase("unique local")),
        ("fe80::/10", phrase("link-local")),
        ("fec0::/10", phrase("site-local")),
        ("ff00::/8", phrase("multicast")),
    )
)
GLOBAL_UNICAST_V6 = IPv6Network("2000::/3")


def why_refused(address: Address, allow: Iterable[Network] = ()) -> str | None:
    """The class of an address that may not be reached ("loopback", "private", …), or None when it may.

    `allow` names networks that may be reached all the same. A form that wraps an IPv4 address (mapped, NAT64) is
    judged by its own bits: allowing 127.0.0.0/8 does not open ::ffff:127.0.0.1.
    """
    bare = _without_zone(address)
    if any(bare in network for network in allow):
        return None
    for network, why in REFUSED:
        if bare in network:
            return why
    if isinstance(bare, IPv6Address) and bare not in GLOBAL_UNICAST_V6:
        return phrase("not global unicast")
    return None


def written_out(host: str) -> Address | None:
    """The address that a host of a URL is by its spelling alone, without asking any name server; None for a name.

    As the system reads it: 127.1, 2130706433 and 0x7f.0.0.1 are 127.0.0.1 too. “localhost” is meant to be nothing else
    (RFC 6761).
    """
    bare = host.rstrip(".").lower()
    if bare == "localhost" or bare.endswith(".localhost"):
        return IPv4Address("127.0.0.1")
    with suppress(ValueError):
        return ip_address(bare.partition("%")[0])
    with suppress(OSError, UnicodeError):
        return IPv4Address(socket.inet_aton(bare)) if not any(c.isspace() for c in bare) else None
    return None


def _without_zone(address: Address) -> Address:
    """The address without its interface name (fe80::1%eth0), which would escape every comparison with a network."""
    if isinstance(address, IPv6Address) and address.scope_id is not None:
        return IPv6Address(int(address))
    return address
