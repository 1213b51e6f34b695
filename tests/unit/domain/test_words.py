"""Errors, ids and statuses: the words that everything else uses."""

from __future__ import annotations

from uuid import UUID

import pytest
from hypothesis import given, strategies as st

from pixtools.domain import errors, job
from pixtools.domain.ids import is_id, uuid7
from pixtools.domain.job import Output, Problem
from pixtools.domain.keys import archive_key, output_key, prefixes, source_key

OUTPUT_STATUSES = st.sampled_from(["succeeded", "failed", "skipped"])


def test_every_error_has_a_code_of_its_own_and_a_sentence() -> None:
    every = errors.every_error()
    classes = [cls for cls in vars(errors).values() if isinstance(cls, type)]
    kinds = [cls for cls in classes if issubclass(cls, errors.PixtoolsError)]
    assert len(every) == len(kinds), "two errors share a code"
    assert all((kind.__doc__ or "").strip().endswith(".") for kind in kinds)


def test_an_error_without_words_speaks_its_docstring() -> None:
    assert errors.EmptyFile().detail == "The file is empty."
    assert str(errors.EmptyFile("Nothing came.")) == "Nothing came."


def test_the_drawn_tree_names_every_error() -> None:
    drawn = errors.__doc__ or ""
    for kind in errors.every_error().values():
        assert kind.__name__ in drawn


@given(st.integers(0, 2**48 - 1), st.binary(min_size=10, max_size=10))
def test_ids_are_version_7_uuids(unix_ms: int, randomness: bytes) -> None:
    made = UUID(uuid7(unix_ms, randomness))
    assert (made.version, made.variant) == (7, "specified in RFC 4122")
    assert made.int >> 80 == unix_ms


@given(st.integers(0, 2**48 - 2), st.binary(min_size=10, max_size=10))
def test_later_ids_sort_later(unix_ms: int, randomness: bytes) -> None:
    assert uuid7(unix_ms, randomness) < uuid7(unix_ms + 1, bytes(10))


@pytest.mark.parametrize("text", ["", "x", "../..", "0" * 36, "{" + "0" * 32 + "}"])
def test_what_is_no_id_is_never_looked_up(text: str) -> None:
    assert not is_id(text)


def test_terminal_statuses_never_change() -> None:
    for status in job.TERMINAL:
        assert not job.TRANSITIONS[status]
        assert job.may_become(status, status)


def test_every_status_reaches_a_terminal_one() -> None:
    for status in job.TRANSITIONS:
        reachable, waiting = {status}, [status]
        while waiting:
            for after in job.TRANSITIONS[waiting.pop()] - reachable:
                reachable.add(after)
                waiting.append(after)
        assert reachable & job.TERMINAL


@given(st.lists(OUTPUT_STATUSES, min_size=1), st.booleans())
def test_a_job_s_end_follows_from_its_outputs(
    statuses: list[job.OutputStatus], facts_failed: bool
) -> None:
    outputs = tuple(Output(id="a", action="resize", status=s) for s in statuses)
    problem = Problem(code="x", detail="y") if facts_failed else None
    ended = job.ended_status(outputs, problem)
    assert ended in job.TERMINAL
    all_good = set(statuses) == {"succeeded"} and not facts_failed
    assert (ended == "succeeded") == all_good
    assert (ended == "failed") == ("succeeded" not in statuses)


def test_objects_are_named_as_the_contract_says() -> None:
    assert source_key("j") == "raw/j/source"
    assert output_key("j", "web", "webp") == "processed/j/web.webp"
    assert archive_key("j") == "archives/j/bundle.zip"
    owned = prefixes("j")
    for key in (source_key("j"), output_key("j", "a", "png"), archive_key("j")):
        assert key.startswith(owned)
