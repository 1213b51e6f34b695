"""Which routes belong to somebody, and how the OpenAPI document says so.

FastAPI says which: those that ask for a tenant.
"""

from __future__ import annotations

from typing import Any, Final

from pixtools.api.refusals import WHO_ASKS, refusals

SCHEMES: Final = {
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "description": "An API key (`ptk_…`), or a token of the OIDC issuer.",
    },
    "key": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
    "session": {
        "type": "apiKey",
        "in": "cookie",
        "name": "pixtools",
        "description": "Of a browser that signed in; `__Host-pixtools` over TLS.",
    },
}
SECURITY: Final[list[dict[str, list[str]]]] = [{name: []} for name in SCHEMES]


def say(description: dict[str, Any]) -> None:
    """Say of each guarded operation how callers are known, and how they are refused."""
    description["components"]["securitySchemes"] = SCHEMES
    refused = refusals(*WHO_ASKS)
    for item in description["paths"].values():
        for operation in item.values():
            if "security" not in operation:
                continue
            operation["security"] = SECURITY
            told = operation["responses"]
            for status, answer in refused.items():
                told[str(status)] = _both(told.get(str(status)), answer)
            operation["responses"] = dict(sorted(told.items()))


def _both(one: dict[str, Any] | None, other: dict[str, Any]) -> dict[str, Any]:
    if one is None:
        return other
    lines = {*one["description"].split("\n"), *other["description"].split("\n")}
    headers = {**one.get("headers", {}), **other.get("headers", {})}
    both = {**one, "description": "\n".join(sorted(lines))}
    return both | {"headers": headers} if headers else both
