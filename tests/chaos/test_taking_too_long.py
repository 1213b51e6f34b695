"""A photo that takes longer than it may fails at once, and only that one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from tests.acceptance.visiting import ended, submitted
from tests.chaos.aftermath import check_all_succeeded, check_tidy, check_told_once
from tests.chaos.work import ENDLESS
from tests.stopwatch import Stopwatch

from pixtools.testing.serving import Serving, serving

pytestmark = pytest.mark.timeout(300)

LIMIT = 10.0
"""Longer than a busy machine keeps a small photo waiting."""


@pytest.fixture(scope="module")
def hasty() -> Iterator[Serving]:
    """A service that gives each stage ten seconds."""
    with serving({"TASK_TIMEOUT_SECONDS": str(LIMIT), "WORKERS": "1"}) as served:
        yield served


def test_it_fails_as_timed_out_without_another_try(
    hasty: Serving, photo_12mp: Path, photo_vga: Path
) -> None:
    """Its encoder is deaf, so its process is ended; those behind it go on."""
    with Stopwatch() as watch:
        late = submitted(hasty, photo_12mp, ENDLESS)
        behind = [submitted(hasty, photo_vga) for _ in range(3)]
        document = ended(hasty, late)
    assert watch.seconds < LIMIT + 10
    assert document["status"] == "failed"
    assert document["error"]["code"] == "timed_out"
    assert document["error"]["retryable"] is False
    assert f"{LIMIT:g} seconds" in document["error"]["detail"]
    check_told_once(hasty, document)
    with closing(hasty.database()) as database:
        sql = "SELECT attempt FROM stages WHERE job_id = ?"
        assert database.execute(sql, (late,)).fetchall() == [(1,)]
    check_all_succeeded(hasty, behind)
    check_tidy(hasty)
