"""Retention: a job is gone for clients at its hour, and its files soon after."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.acceptance.refusing import checked
from tests.acceptance.visiting import made

from pixtools.testing.serving import Serving, eventually, serving

RETENTION = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Past:
    """A service, and a job that has ended on it."""

    service: Serving
    document: dict[str, Any]

    @property
    def path(self) -> str:
        return f"/v1/jobs/{self.document['job_id']}"

    def pass_its_hour(self) -> None:
        """At once: a few seconds of life would be over before a slow test saw it."""
        path = self.service.data / "pixtools.sqlite3"
        with closing(sqlite3.connect(path, timeout=60)) as facts, facts:
            facts.execute("UPDATE jobs SET expires_at = finished_at")

    def files(self) -> list[str]:
        job_id = self.document["job_id"]
        return [name for name in self.service.files() if job_id in name]


@pytest.fixture(scope="module")
def past(photo_vga: Path) -> Iterator[Past]:
    """The job's time is over when a test sees it."""
    hours = RETENTION.total_seconds() / 3600
    with serving({"JOB_RETENTION_HOURS": f"{hours:g}"}) as service:
        found = Past(service, made(service, photo_vga))
        assert found.files()
        found.pass_its_hour()
        yield found


def test_the_document_names_the_hour(past: Past) -> None:
    finished, expires = (
        datetime.fromisoformat(past.document[name])
        for name in ("finished_at", "expires_at")
    )
    assert expires - finished == pytest.approx(RETENTION, abs=timedelta(seconds=0.01))


def test_an_expired_job_is_410_on_every_route(past: Past) -> None:
    for method, path in (
        ("GET", past.path),
        ("GET", f"{past.path}/events"),
        ("POST", f"{past.path}/cancel"),
        ("POST", f"{past.path}/retry"),
        ("POST", f"{past.path}/start"),
        ("DELETE", past.path),
        ("GET", f"/api/jobs/{past.document['job_id']}"),
    ):
        checked(past.service.http.request(method, path), 410, "job_expired")


def test_no_list_shows_it(past: Past) -> None:
    assert past.service.http.get("/v1/jobs").json()["data"] == []


def test_its_files_go_and_it_is_remembered(past: Past) -> None:
    past.service.stop()
    past.service.restart()  # pruning is done at the start, then every ten minutes
    # What reminds of a job goes last, and with it comes that it was here.
    eventually(lambda: past.service.rows()["burials"] == 1, 60)
    rows = past.service.rows()
    assert (rows["jobs"], rows["stages"], rows["events"]) == (0, 0, 0)
    assert past.files() == []
    checked(past.service.http.get(past.path), 410, "job_expired")
    url = past.document["outputs"][0]["url"].partition("/files/")[2]
    assert past.service.http.get(f"/files/{url}").status_code == 404
