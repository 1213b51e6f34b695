"""Logs say what went wrong, never what a client sent."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from typing import Literal

import pytest

from pixtools.telemetry.config import LogConfig
from pixtools.telemetry.logs import configure_logs

SECRET = "token-of-a-client"


@pytest.fixture(autouse=True)
def other_loggers() -> Iterator[None]:
    """Pytest's own handlers come back after each test."""
    root = logging.getLogger()
    kept, level = root.handlers[:], root.level
    yield
    root.handlers[:] = kept
    root.setLevel(level)


def said(capsys: pytest.CaptureFixture[str], form: Literal["json", "console"]) -> str:
    """What is written about a failure in a function that holds a secret."""
    configure_logs(LogConfig(level="INFO", format=form))

    def fail(held: str) -> None:
        raise ValueError(f"{len(held)} letters are too many")

    try:
        fail(SECRET)
    except ValueError:
        logging.getLogger("pixtools.test").exception(
            "render_failed", extra={"job_id": "17"}
        )
    return capsys.readouterr().err


@pytest.mark.parametrize("form", ["json", "console"])
def test_a_traceback_shows_no_local_variable(
    capsys: pytest.CaptureFixture[str], form: Literal["json", "console"]
) -> None:
    text = said(capsys, form)
    assert "ValueError" in text
    assert "letters are too many" in text
    assert SECRET not in text


def test_json_is_one_line_with_its_facts(capsys: pytest.CaptureFixture[str]) -> None:
    (line,) = said(capsys, "json").splitlines()
    event = json.loads(line)
    assert event["event"] == "render_failed"
    assert event["job_id"] == "17"
    assert event["level"] == "error"
    assert event["timestamp"].endswith("Z")
    assert event["exception"][0]["exc_type"] == "ValueError"


def test_uvicorns_message_stands_once(capsys: pytest.CaptureFixture[str]) -> None:
    logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)  # a server before us
    configure_logs(LogConfig(level="INFO", format="json"))
    logging.getLogger("uvicorn.error").info(
        "Started", extra={"color_message": "\x1b[1mStarted"}
    )
    event = json.loads(capsys.readouterr().err)
    assert (event["event"], "color_message" in event) == ("Started", False)
