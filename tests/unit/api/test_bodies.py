"""Strict JSON: what no database could hold is refused while it is read."""

from __future__ import annotations

import json
import time

import pytest
from hypothesis import given, strategies as st
from starlette.exceptions import HTTPException

from pixtools.api import bodies
from pixtools.api.schemas import NEW_JOB
from pixtools.domain.errors import InvalidRequest

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00")),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.text(
                st.characters(exclude_categories=["Cs"], exclude_characters="\x00")
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=20,
)


@given(JSON)
def test_any_json_is_read_as_it_is(value: object) -> None:
    assert bodies.parse_json(json.dumps(value).encode()) == value


@given(st.binary(max_size=200))
def test_any_bytes_are_json_or_malformed_never_a_crash(raw: bytes) -> None:
    try:
        bodies.parse_json(raw)
        status = 200
    except HTTPException as error:
        status = error.status_code
    assert status in {200, 400}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('{"a":1,"a":2}', "twice"),
        ('{"a":NaN}', "NaN"),
        ("[1e999]", "JSON"),
        ('["\\ud800"]', "UTF-8"),
        ('["\\u0000"]', "NUL"),
        ('{"\\u0000":1}', "NUL"),
        ("[" * 100_000, "deeply"),
        ("9" * 5000, "JSON"),
        ("", "JSON"),
        ("{} {}", "JSON"),
        (b"\xff\xfe\xff", "UTF-8"),
    ],
)
def test_what_is_no_clean_json_is_malformed(text: str | bytes, reason: str) -> None:
    with pytest.raises(HTTPException, match=reason) as refused:
        bodies.parse_json(text)
    assert refused.value.status_code == 400


def test_a_name_that_stands_twice_among_many_is_found_at_once() -> None:
    names = [f'"{number}":0' for number in range(30_000)]
    since = time.process_time()
    with pytest.raises(HTTPException, match="'29999' stands twice"):
        bodies.parse_json("{" + ",".join([*names, names[-1]]) + "}")
    assert time.process_time() - since < 5


def test_a_hundred_wrong_fields_are_explained_and_no_more() -> None:
    wrong = {f"field{number}": 0 for number in range(3000)}
    with pytest.raises(InvalidRequest) as refused:
        bodies.checked(NEW_JOB, {"source_type": "upload", **wrong})
    assert len(refused.value.fields) == 100


def test_a_backslash_before_a_u_is_not_a_nul() -> None:
    assert bodies.parse_json('["\\\\u0000"]') == ["\\u0000"]


@given(JSON)
def test_the_canonical_form_means_the_same(value: object) -> None:
    assert json.loads(bodies.canonical(value)) == value
