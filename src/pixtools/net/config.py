"""What the operator decides about calls to the outside."""

from __future__ import annotations

from dataclasses import dataclass

from pixtools.net.addresses import Network


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardConfig:
    """Where calls may lead beside public addresses, and how.

    `networks` are the operator's own, such as 10.1.0.0/16. Of lookups that hang there
    are at most `most_lookups`.
    """

    networks: tuple[Network, ...] = ()
    https_only: bool = False
    most_lookups: int = 32
    most_addresses: int = 4
    """So many of a name's addresses are tried."""
