"""Every hostile file of the corpus, sent as anyone could send it."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import httpx2
import pytest
from tests.acceptance.refusing import Strict, checked
from tests.acceptance.visiting import Step, check_whole, ended, job, post

from pixtools.api.problems import STATUS
from pixtools.testing.images_hostile import OK, hostile_files
from pixtools.testing.serving import eventually

CORPUS = hostile_files()
STEPS: list[Step] = [
    {"id": "small", "action": "resize", "width": 32, "height": 32, "format": "webp"},
    {"id": "facts", "action": "metadata"},
]
SECONDS = 10.0


@pytest.fixture(scope="module")
def answers(
    strict: Strict, hostile_paths: dict[str, Path]
) -> dict[str, httpx2.Response]:
    """What was said to each file at once; then all jobs have ended."""
    found = {
        key: post(strict.service, path, STEPS) for key, path in hostile_paths.items()
    }
    for answer in found.values():
        if answer.status_code == 202:
            ended(strict.service, answer.json()["job_id"])
    return found


def seconds_of(document: dict[str, Any]) -> float:
    """How long a worker had to do with a job."""
    began, over = (
        datetime.fromisoformat(document[name]) for name in ("started_at", "finished_at")
    )
    return (over - began).total_seconds()


@pytest.mark.parametrize("key", CORPUS)
def test_it_is_read_or_refused_by_name_and_soon(
    strict: Strict, answers: dict[str, httpx2.Response], key: str
) -> None:
    wanted, answer = CORPUS[key].answers, answers[key]
    if answer.status_code != 202:
        code = answer.json()["code"]
        assert code in wanted
        checked(answer, STATUS[code], code)
        assert answer.status_code < 500
        return
    document = job(strict.service, answer.json()["job_id"])
    assert seconds_of(document) < SECONDS
    if document["status"] == "succeeded":
        assert OK in wanted
        check_whole(strict.service, document)
        return
    assert document["status"] == "failed", document
    assert document["error"]["code"] in wanted
    assert document["error"]["retryable"] is False
    assert document["outputs"][0]["url"] is None


def test_the_workers_outlive_them_all(
    strict: Strict, answers: dict[str, httpx2.Response], photo_vga: Path
) -> None:
    assert len(answers) == len(CORPUS)
    document = ended(
        strict.service, post(strict.service, photo_vga, STEPS).json()["job_id"]
    )
    assert document["status"] == "succeeded"
    assert "Traceback" not in strict.service.words()
    scratch = strict.service.data / "scratch"
    eventually(lambda: not list(scratch.iterdir()), 30)
