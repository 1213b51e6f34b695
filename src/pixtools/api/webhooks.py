"""The form of a webhook address; where it leads is checked when it is dialled."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import urlsplit

from pixtools.api.uploads import wrong

LONGEST: Final = 2048
_NOT_IN_URLS: Final = re.compile(r"[\s\x00-\x20\x7f\\]")


def checked_url(url: str | None, saying: str | None = None) -> str | None:
    """The address as given, or InvalidRequest (in the face's own words)."""
    if not url:
        return None
    fault = _fault(url)
    if fault:
        raise wrong("/webhook_url", saying or fault)
    return url


def _fault(url: str) -> str | None:
    if len(url) > LONGEST:
        return f"Expected at most {LONGEST} characters for webhook_url."
    text = "Expected an absolute http(s) URL for webhook_url."
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
        return "webhook_url must not hold a user name or password."
    return None
