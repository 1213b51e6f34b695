"""`pixtools worker` and `pixtools scheduler` say what they need before they begin."""

from __future__ import annotations

import os
import subprocess

import pytest
from typer.testing import CliRunner, Result

from pixtools.cli.main import build
from pixtools.cli.worker import lanes_of
from pixtools.domain.errors import InvalidRequest
from pixtools.testing.program import command


def told(*words: str, **settings: str) -> Result:
    return CliRunner().invoke(build(), list(words), env={"COLUMNS": "200", **settings})


@pytest.mark.parametrize("verb", ["worker", "scheduler"])
def test_without_a_broker_the_command_says_what_to_do_instead(verb: str) -> None:
    answer = told(verb)
    assert answer.exit_code == 1
    assert answer.stderr.startswith("✗ RABBITMQ_URL is not set")
    assert "pixtools serve" in answer.stderr


@pytest.mark.parametrize("verb", ["worker", "scheduler"])
def test_the_help_shows_examples(verb: str) -> None:
    assert f"METRICS_PORT=9100 pixtools {verb}" in told(verb, "--help").output


def test_an_unknown_queue_is_a_wrong_call() -> None:
    answer = told("worker", "--queues", "default_queue,gpu")
    assert answer.exit_code == 2
    assert answer.stderr == (
        "✗ Expected default_queue or ml_inference_queue for --queues but received gpu.\n"
    )


def test_whoever_asks_for_a_look_gets_sentences_and_no_log(free_port: int) -> None:
    """A database that is away is a line of what was found, not a word before it."""
    away = f"postgresql://ann@127.0.0.1:{free_port}/x"
    looked = subprocess.run(
        command("keys", "list"),
        env={**os.environ, "DATABASE_URL": away},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert looked.returncode == 1
    assert looked.stderr.startswith("✗ ")


def test_queues_are_named_with_commas() -> None:
    assert lanes_of("default_queue") == ("default_queue",)
    assert lanes_of(" ml_inference_queue, default_queue ") == (
        "default_queue",
        "ml_inference_queue",
    )
    with pytest.raises(InvalidRequest, match="received nothing"):
        lanes_of("")
