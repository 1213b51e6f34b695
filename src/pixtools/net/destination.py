"""What a URL names, read once and by one reader.

Whoever checks one reading of a URL and dials another one can be talked into anything.
So a URL is taken apart here, strictly, and only the parts go on.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from typing import Final
from urllib.parse import quote, urljoin, urlsplit

import idna

from pixtools.net.addresses import Address, address_of
from pixtools.net.errors import Refused

LONGEST: Final = 2048
PORTS: Final = {"http": 80, "https": 443}
OTHER_PROTOCOLS: Final = frozenset(
    {1, 7, 9, 11, 13, 15, 17, 19, 20, 21, 22, 23, 25, 37, 42, 43, 53, 69, 77, 79}
    | {87, 95, 101, 102, 103, 104, 109, 110, 111, 113, 115, 117, 119, 123, 135, 137}
    | {139, 143, 161, 179, 389, 427, 465, 512, 513, 514, 515, 526, 530, 531, 532}
    | {540, 548, 554, 556, 563, 587, 601, 636, 989, 990, 993, 995, 1719, 1720, 1723}
    | {2049, 3659, 4045, 4190, 5060, 5061, 6000, 6379, 6566, 6665, 6666, 6667, 6668}
    | {6669, 6679, 6697, 10080, 11211}
)
"""Ports of servers that take a line of HTTP for one of theirs: those that browsers
refuse (the Fetch standard's list), Redis and memcached."""

_NEVER: Final = re.compile(r"[\s\x00-\x20\x7f\\\ud800-\udfff]")
_PLACE: Final = re.compile(
    r"(?:\[(?P<six>[0-9A-Fa-f:.]+)\]|(?P<name>[^\[\]:@%]+))(?::(?P<port>[0-9]{0,5}))?"
)
_LABEL: Final = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
_NUMBER: Final = re.compile(r"[0-9]+|0x[0-9a-f]*")
_SAFE: Final = "%/:=&?~+!$,;'@()*[]|^`{}\""


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    """Where a request goes. `host` is ASCII; `literal` is the address it is, if any."""

    scheme: str
    host: str
    port: int
    target: str
    literal: Address | None = None

    @property
    def place(self) -> str:
        """Host and port as the Host header tells them."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def url(self) -> str:
        """The address, as it was understood."""
        return f"{self.scheme}://{self.place}{self.target}"


def destination_of(url: str) -> Destination:
    """Read a URL; raises Refused for whatever could be read in two ways."""
    if len(url) > LONGEST or _NEVER.search(url):
        raise Refused
    try:
        parts = urlsplit(url)
    except ValueError:
        raise Refused from None
    found = _PLACE.fullmatch(parts.netloc)
    if parts.scheme not in PORTS or found is None:
        raise Refused
    port = int(found["port"] or PORTS[parts.scheme])
    if not 0 < port < 65536 or port in OTHER_PROTOCOLS:
        raise Refused
    host, literal = _six(found["six"]) if found["six"] else _named(found["name"])
    target = quote(parts.path or "/", safe=_SAFE)
    if parts.query:
        target += f"?{quote(parts.query, safe=_SAFE)}"
    return Destination(
        scheme=parts.scheme, host=host, port=port, target=target, literal=literal
    )


def onward(here: Destination, location: str) -> Destination:
    """Where a redirect leads; raises Refused, also for a way out of encryption."""
    try:
        there = destination_of(urljoin(here.url, location))
    except ValueError:
        raise Refused from None
    if here.scheme == "https" and there.scheme != "https":
        raise Refused
    return there


def _six(text: str) -> tuple[str, Address]:
    found = address_of(text)
    if found is None:
        raise Refused
    return found.compressed, found


def _named(text: str) -> tuple[str, Address | None]:
    """A name in ASCII; or an address, in the one notation that nobody misreads."""
    try:
        name = text if text.isascii() else idna.encode(text, uts46=True).decode()
    except (idna.IDNAError, UnicodeError):
        raise Refused from None
    name = name.lower().removesuffix(".")
    labels = name.split(".")
    if _NUMBER.fullmatch(labels[-1]):
        return _four(name)
    if len(name) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        raise Refused
    return name, None


def _four(name: str) -> tuple[str, Address]:
    found = address_of(name)
    if not isinstance(found, IPv4Address):
        raise Refused
    return found.compressed, found


def is_six(address: str) -> bool:
    """Whether an address in text is one of IPv6."""
    return isinstance(address_of(address), IPv6Address)
