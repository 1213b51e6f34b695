"""Which addresses belong to the public internet.

`ipaddress` alone does not say: what it calls global differs between releases of
Python and holds translators (NAT64, 6to4, Teredo) that lead into private networks.
So of IPv6 only global unicast counts, and what stands below never does.
Source: IANA's registries of special-purpose addresses.
"""

from __future__ import annotations

from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)
from typing import Final

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

GLOBAL_UNICAST: Final = IPv6Network("2000::/3")
NEVER_PUBLIC: Final[tuple[Network, ...]] = tuple(
    map(
        ip_network,
        (
            "0.0.0.0/8",  # this network; Linux takes it for loopback
            "10.0.0.0/8",
            "100.64.0.0/10",  # carriers' own; clouds keep metadata here, too
            "127.0.0.0/8",
            "168.63.129.16/32",  # Azure's own services, below a public number
            "169.254.0.0/16",  # link-local: clouds' metadata
            "172.16.0.0/12",
            "192.0.0.0/24",
            "192.0.2.0/24",
            "192.88.99.0/24",  # relays of 6to4
            "192.168.0.0/16",
            "198.18.0.0/15",
            "198.51.100.0/24",
            "203.0.113.0/24",
            "224.0.0.0/4",
            "240.0.0.0/4",
            "2001::/23",  # protocols' own: Teredo, ORCHID, benchmarks
            "2001:db8::/32",
            "2002::/16",  # 6to4
            "3fff::/20",
        ),
    )
)


def address_of(text: str) -> Address | None:
    """An address as it is dialled: IPv4 written as IPv6 is IPv4. None for others."""
    try:
        found = ip_address(text)
    except ValueError:
        return None
    if isinstance(found, IPv6Address):
        if found.scope_id is not None:
            return None
        return found.ipv4_mapped or found
    return found


def is_public(address: Address) -> bool:
    """Whether an address leads to the public internet and nowhere else."""
    if isinstance(address, IPv6Address) and address not in GLOBAL_UNICAST:
        return False
    if any(is_in(address, network) for network in NEVER_PUBLIC):
        return False
    return address.is_global and not address.is_multicast


def is_in(address: Address, network: Network) -> bool:
    """Whether an address belongs to a network, which may be of the other kind."""
    return address.version == network.version and address in network
