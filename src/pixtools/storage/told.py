"""A store's fault for whoever runs this service: what was asked, and what it said."""

from __future__ import annotations

import re
from typing import Final

from pixtools.domain.errors import StorageUnavailable

_ASKED: Final = re.compile(r"Error performing [A-Z]+ ([^\s?]+)")
_SAID: Final = re.compile(
    r"<Code>(\w+)</Code>"
    r'|(?:message|error): "([^"]+)"'
    r"|\b(InvalidCertificate\(\s*\w+|InvalidMessage|TimedOut)\b"
)
_NO_TLS: Final = "no TLS is spoken there"


def told(fault: StorageUnavailable) -> str:
    """Its sentence, which a client may read, and what only the cause says.

    That is an address without its query, where a signature could stand, or a path.
    """
    cause = fault.__cause__
    place = getattr(cause, "filename", None) or _asked(str(cause))
    if not place:
        return fault.detail
    why = _said(str(cause))
    return f"{fault.detail} Asked was {place}{why and f': {why}'}."


def _asked(text: str) -> str:
    found = _ASKED.search(text)
    return found[1] if found else ""


def _said(text: str) -> str:
    found = _SAID.search(text)
    if found is None:
        return ""
    words = next(each for each in found.groups() if each)
    return _NO_TLS if words == "InvalidMessage" else " ".join(words.split())
