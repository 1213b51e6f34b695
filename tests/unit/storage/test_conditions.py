"""Conditions of any client are understood or ignored, never a fault."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, strategies as st

from pixtools.storage.conditions import (
    RangeUnsatisfiable,
    http_date,
    is_unchanged,
    wanted_range,
)

ETAG = '"abc"'
MODIFIED = datetime(2026, 7, 1, 12, tzinfo=UTC)
EARLIER = http_date(MODIFIED - timedelta(seconds=1))
DATE = http_date(MODIFIED)


@pytest.mark.parametrize(
    ("headers", "unchanged"),
    [
        ({}, False),
        ({"if-none-match": '"abc"'}, True),
        ({"if-none-match": 'W/"abc"'}, True),
        ({"if-none-match": '"x", "abc"'}, True),
        ({"if-none-match": "*"}, True),
        ({"if-none-match": '"x"'}, False),
        ({"if-none-match": '"x"', "if-modified-since": DATE}, False),
        ({"if-modified-since": DATE}, True),
        ({"if-modified-since": EARLIER}, False),
        ({"if-modified-since": "yesterday"}, False),
    ],
)
def test_a_client_has_this_version_or_not(
    headers: dict[str, str], unchanged: bool
) -> None:
    """An etag says more than a date."""
    assert is_unchanged(headers, ETAG, MODIFIED) is unchanged


@pytest.mark.parametrize(
    ("held", "ranged"),
    [(ETAG, True), (DATE, True), ('"x"', False), (EARLIER, False), ("?", False)],
)
def test_a_range_of_another_version_is_the_whole(held: str, ranged: bool) -> None:
    """If-Range names the version that the client has begun with."""
    headers = {"range": "bytes=1-2", "if-range": held}
    found = wanted_range(headers, 10, ETAG, MODIFIED)
    assert found == ((1, 2) if ranged else None)


@pytest.mark.parametrize(
    "date",
    ["Mon, 01 Jan {} 00:00:00 GMT", "Mon, {} Jan 2026 00:00:00 GMT",
     "Mon, 01 Jan 2026 00:00:00 +{}"],
)  # fmt: skip
def test_a_date_beyond_all_numbers_is_no_date(date: str) -> None:
    """Nobody is answered with a fault of ours for it."""
    told = date.format("9" * 20)
    assert not is_unchanged({"if-modified-since": told}, ETAG, MODIFIED)
    headers = {"range": "bytes=1-2", "if-range": told}
    assert wanted_range(headers, 10, ETAG, MODIFIED) is None


@given(
    st.dictionaries(
        st.sampled_from(["range", "if-range", "if-none-match", "if-modified-since"]),
        st.text(max_size=30)
        | st.from_regex(r"bytes=\d{0,30}-\d{0,30}", fullmatch=True)
        | st.from_regex(r"\w{3}, \d{1,3} \w{3} \d{1,9} \d\d:\d\d:\d\d .{0,5}"),
    ),
    st.integers(0, 1000),
)
def test_no_header_is_a_fault(headers: dict[str, str], size: int) -> None:
    """What is found lies inside the file."""
    is_unchanged(headers, ETAG, MODIFIED)
    try:
        found = wanted_range(headers, size, ETAG, MODIFIED)
    except RangeUnsatisfiable:
        return
    if found:
        start, length = found
        assert 0 <= start < start + length <= size
