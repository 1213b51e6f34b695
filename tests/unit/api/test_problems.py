"""Every error has one HTTP status, and is told as RFC 9457 wants it."""

from __future__ import annotations

import json

import pytest

from pixtools.api import problems
from pixtools.domain.errors import (
    FieldError,
    InvalidPipeline,
    JobNotFound,
    PixtoolsError,
    QueueFull,
    every_error,
)


def test_every_error_code_has_a_status_and_no_status_is_for_nothing() -> None:
    home = PixtoolsError.__module__
    codes = {code for code, kind in every_error().items() if kind.__module__ == home}
    assert set(problems.STATUS) == codes


def test_an_error_of_another_room_has_its_parents_status() -> None:
    class Elsewhere(JobNotFound):
        """Something that only another room can say."""

        code = "elsewhere"

    assert problems.status_of(Elsewhere) == problems.status_of(JobNotFound) == 404
    assert problems.of_error(Elsewhere(), None).code == "elsewhere"


def test_only_statuses_of_refusals_and_failures_are_used() -> None:
    assert all(400 <= status < 600 for status in problems.STATUS.values())


@pytest.mark.parametrize("code", sorted(problems.RETRY_AFTER))
def test_only_what_may_pass_says_when_to_try_again(code: str) -> None:
    kind = every_error()[code]
    assert kind.retryable or code == "timed_out"


def test_a_problem_names_its_kind_its_moment_and_each_field() -> None:
    wrong = FieldError("/pipeline/0/width", "Expected a whole number.")
    error = InvalidPipeline("Expected a whole number.", fields=(wrong,))
    answer = problems.response(problems.of_error(error, "req-1"))
    assert answer.media_type == "application/problem+json"
    assert answer.status_code == 422
    assert json.loads(bytes(answer.body)) == {
        "type": "/docs#invalid_pipeline",
        "title": "The pipeline can't be run as asked.",
        "status": 422,
        "detail": "Expected a whole number.",
        "code": "invalid_pipeline",
        "request_id": "req-1",
        "errors": [
            {"pointer": "/pipeline/0/width", "detail": "Expected a whole number."}
        ],
    }


def test_a_problem_without_fields_has_no_errors() -> None:
    answer = problems.response(
        problems.of_error(JobNotFound("There is no job x."), None)
    )
    assert "errors" not in json.loads(bytes(answer.body))


def test_a_full_queue_says_when_to_come_back() -> None:
    answer = problems.response(problems.of_error(QueueFull(), "r"))
    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) > 0


@pytest.mark.parametrize(
    ("status", "code"),
    [(404, "not_found"), (405, "method_not_allowed"), (418, "i'm_a_teapot")],
)
def test_what_only_http_refuses_has_a_code_as_well(status: int, code: str) -> None:
    assert problems.of_status(status, None, "r").code == code


def test_a_title_is_one_sentence_for_every_code() -> None:
    for code in problems.STATUS:
        title = problems.title_of(every_error()[code])
        assert title.endswith("."), code
        assert "\n" not in title, code
