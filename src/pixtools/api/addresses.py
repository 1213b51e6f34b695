"""Where a client reached us, and from where it speaks."""

from __future__ import annotations

import ipaddress
import re
from typing import Final

from starlette.datastructures import Headers
from starlette.types import Scope

HOST: Final = re.compile(
    r"(?:[A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::\d{1,5})?"
)


def base_of(scope: Scope) -> str:
    """The address under which the client reached us, without a slash at its end.

    A made-up Host header misleads nobody but its sender: answers aren't shared.
    """
    given = Headers(scope=scope).get("host", "")
    host = given if HOST.fullmatch(given) else _server(scope)
    path: str = scope.get("root_path", "")
    return f"{scope['scheme']}://{host}{path.rstrip('/')}"


def network_of(scope: Scope) -> str:
    """The network that a client speaks from: its IPv4 address, or its IPv6 /64.

    One IPv6 client has a /64 to itself, and could speak from another address of it
    each time.
    """
    host, _ = scope.get("client") or ("unknown", 0)
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return host
    if address.version == 4:
        return str(address)
    if address.ipv4_mapped:
        return str(address.ipv4_mapped)
    return str(ipaddress.ip_network((address, 64), strict=False))


def _server(scope: Scope) -> str:
    name, port = scope.get("server") or ("localhost", None)
    usual = {"http": 80, "https": 443}.get(scope["scheme"])
    return name if port in {None, usual} else f"{name}:{port}"
