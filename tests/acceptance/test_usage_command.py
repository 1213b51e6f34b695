"""`pixtools usage` as a person types it."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

from pixtools.testing.serving import Serving, command

COLUMNS = "day jobs outputs megapixels saved CPU time"
LONG_AGO = ("--from", "2001-01-01", "--to", "2001-01-31")


def typed(service: Serving, *words: str) -> subprocess.CompletedProcess[str]:
    """Type `pixtools …` for a server and wait."""
    return subprocess.run(
        command(*words, "--server", service.url),
        env=os.environ | {"COLUMNS": "80"},
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_it_shows_what_jobs_have_cost(service: Serving, photo_vga: Path) -> None:
    assert typed(service, "submit", str(photo_vga), "--to", "webp").returncode == 0
    done = typed(service, "usage")
    assert done.returncode == 0, done.stderr
    head, *days, total = done.stdout.splitlines()
    assert " ".join(head.split()) == COLUMNS
    assert days
    assert total.startswith("all ")
    assert max(map(len, done.stdout.splitlines())) <= 80
    told = typed(service, "usage", "--json")
    assert json.loads(told.stdout)["total"]["jobs"] >= 1


def test_days_without_jobs_are_one_sentence(service: Serving) -> None:
    done = typed(service, "usage", *LONG_AGO)
    assert done.returncode == 0
    assert done.stdout == "No job has ended between 2001-01-01 and 2001-01-31.\n"


def test_what_is_no_day_is_told_in_the_servers_words(service: Serving) -> None:
    done = typed(service, "usage", "--from", "today")
    assert done.returncode == 1
    assert "Expected a day such as 2026-01-31 but received 'today'." in done.stderr
