"""Keys, quoted or bare, and what makes two requests the same."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi import Request
from hypothesis import given, strategies as st

from pixtools.api import idempotency
from pixtools.domain.errors import InvalidIdempotencyKey

VISIBLE = st.text(
    st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1, max_size=255
)


def request(
    *keys: str, method: str = "POST", path: str = "/v1/jobs", query: str = ""
) -> Request:
    headers = [(b"idempotency-key", key.encode("latin-1")) for key in keys]
    scope: dict[str, Any] = {
        "type": "http",
        "method": method,
        "path": path,
        "query_string": query.encode(),
        "headers": headers,
    }
    return Request(scope)


def test_a_key_is_the_same_quoted_and_bare() -> None:
    assert idempotency.parse_key('"demo-001"') == idempotency.parse_key("demo-001")


@given(VISIBLE.filter(lambda text: not text.startswith('"')))
def test_any_visible_text_of_up_to_255_characters_is_a_key(key: str) -> None:
    assert idempotency.parse_key(key) == key


@given(VISIBLE)
def test_a_quoted_key_is_read_as_it_was_meant(key: str) -> None:
    quoted = '"' + key.replace("\\", "\\\\").replace('"', '\\"') + '"'
    assert idempotency.parse_key(quoted) == key


@pytest.mark.parametrize("key", ["", '""', " ", "a b", "ä", "a" * 256, "\x00", '"a b"'])
def test_what_is_no_key_is_refused(key: str) -> None:
    with pytest.raises(InvalidIdempotencyKey):
        idempotency.parse_key(key)


def test_no_header_is_no_key() -> None:
    assert idempotency.key_of(request()) is None
    assert idempotency.identified(request(), {"a": 1}) is None


def test_two_keys_are_one_too_many() -> None:
    with pytest.raises(InvalidIdempotencyKey, match="received 2"):
        idempotency.key_of(request("a", "b"))


def test_the_order_of_names_in_a_body_makes_no_difference() -> None:
    here = request("k")
    one = idempotency.fingerprint(here, {"a": 1, "b": [1, 2]})
    assert one == idempotency.fingerprint(here, {"b": [1, 2], "a": 1})


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (request(method="POST"), request(method="PUT")),
        (request(path="/v1/jobs"), request(path="/api/process")),
        (request(query="a=1"), request(query="a=2")),
    ],
)
def test_another_method_route_or_query_is_another_request(
    one: Request, other: Request
) -> None:
    assert idempotency.fingerprint(one, {}) != idempotency.fingerprint(other, {})


def test_another_body_is_another_request() -> None:
    here = request()
    assert idempotency.fingerprint(here, [1, 2]) != idempotency.fingerprint(
        here, [2, 1]
    )
