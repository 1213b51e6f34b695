"""Conditional and range requests (RFC 9110 §13, §14), without a framework."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime

_RANGE = re.compile(r"bytes\s*=\s*(\d{0,18})\s*-\s*(\d{0,18})\s*", re.IGNORECASE)


class RangeUnsatisfiable(ValueError):
    """The range begins behind the last byte."""


def http_date(moment: datetime) -> str:
    """A moment as HTTP writes it, in whole seconds."""
    return format_datetime(moment.astimezone(UTC), usegmt=True)


def is_unchanged(headers: Mapping[str, str], etag: str, modified: datetime) -> bool:
    """Whether the client already has this version; header names in lower case."""
    known = headers.get("if-none-match")
    if known is not None:
        tags = [tag.strip().removeprefix("W/") for tag in known.split(",")]
        return "*" in tags or etag in tags
    since = _moment(headers.get("if-modified-since", ""))
    return since is not None and modified <= since


def wanted_range(
    headers: Mapping[str, str], size: int, etag: str, modified: datetime
) -> tuple[int, int] | None:
    """First byte and length of the one range that is asked for, or None for all.

    Several ranges, a malformed one, or an If-Range of another version ask for all,
    as the RFC permits.

    Raises:
        RangeUnsatisfiable: there is no such byte.
    """
    asked = _RANGE.fullmatch(headers.get("range", "").strip())
    if not asked or not any(asked.groups()) or not _same(headers, etag, modified):
        return None
    first, last = asked.groups()
    if not first:
        start, end = max(size - int(last), 0), size
    else:
        start, end = int(first), min(int(last) + 1 if last else size, size)
        if last and int(last) < start:
            return None
    if start >= size:
        raise RangeUnsatisfiable
    return start, end - start


def _same(headers: Mapping[str, str], etag: str, modified: datetime) -> bool:
    held = headers.get("if-range", etag)
    return held == etag or _moment(held) == modified


def _moment(text: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
