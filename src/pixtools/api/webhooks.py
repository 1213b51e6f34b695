"""The form of an address; where it leads is looked at by `api.destinations`."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import urlsplit

from pixtools.api.uploads import wrong

LONGEST: Final = 2048
_NOT_IN_URLS: Final = re.compile(r"[\s\x00-\x20\x7f\\]")


def checked_url(
    url: str | None, saying: str | None = None, name: str = "webhook_url"
) -> str | None:
    """The address as given, or InvalidRequest (in the face's own words)."""
    if not url:
        return None
    fault = _fault(url, name)
    if fault:
        raise wrong(f"/{name}", saying or fault)
    return url


def _fault(url: str, name: str) -> str | None:
    if len(url) > LONGEST:
        return f"Expected at most {LONGEST} characters for {name}."
    text = f"Expected an absolute http(s) URL for {name}."
    if _NOT_IN_URLS.search(url):
        return text
    try:
        parts = urlsplit(url)
        host = parts.hostname
        _ = parts.port
    except ValueError:
        return text
    if parts.scheme not in ("http", "https") or not host:
        return text
    if parts.username is not None or parts.password is not None:
        return f"{name} must not hold a user name or password."
    return None
