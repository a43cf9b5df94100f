"""Networks: which addresses lie in the open internet, and which in a house of one's own.

By the registries of IANA (special-purpose addresses, RFC 6890 and later), kept here, as what
Python's `ipaddress` says of them differs between its versions.
"""

from __future__ import annotations

from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_network,
)

__all__ = ["Address", "Network", "is_inner", "is_public"]

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network


def _networks(text: str) -> tuple[Network, ...]:
    return tuple(map(ip_network, text.split()))


_INNER = _networks(
    "10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 172.16.0.0/12 192.168.0.0/16 ::1/128 fc00::/7"
)
"""Private, shared by a provider's customers (CGNAT), loopback."""

_CLOSED = _INNER + _networks(
    "0.0.0.0/8 169.254.0.0/16 192.0.0.0/24 192.0.2.0/24 192.88.99.0/24 198.18.0.0/15 "
    "198.51.100.0/24 203.0.113.0/24 224.0.0.0/4 240.0.0.0/4 "
    # Within what is given out of IPv6: protocols (Teredo among them), examples, 6to4.
    "2001::/23 2001:db8::/32 2002::/16 3fff::/20"
)
"""What is no single host of the internet, or is an address of IPv4 in the clothes of another."""

_GIVEN = IPv6Network("2000::/3")
"""All of IPv6 that is given out to hosts of the internet."""

_NAT64 = IPv6Network("64:ff9b::/96")
"""Where networks without IPv4 find its hosts (RFC 6052)."""


def is_public(address: Address) -> bool:
    """True if it is a host of the internet, for all who ask."""
    if address in _NAT64:
        return is_public(IPv4Address(int(address) & 0xFFFFFFFF))
    if any(address in network for network in _CLOSED):
        return False
    return address.version == 4 or address in _GIVEN


def is_inner(address: Address) -> bool:
    """True if it is private or loopback, as services in one's own house are."""
    return any(address in network for network in _INNER)
