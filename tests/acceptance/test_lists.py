"""The list of jobs: pages, filters, and who is in line."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.acceptance.deployed import Served
from tests.acceptance.visiting import ended, job, submitted

pytestmark = pytest.mark.anywhere


@pytest.fixture(scope="module")
def seven(service: Served, photo_vga: Path) -> list[str]:
    """Seven jobs of one batch, oldest first; all have ended."""
    batch = service.http.post("/v1/batches", json={}).json()["batch_id"]
    ids = [submitted(service, photo_vga, batch_id=batch) for _ in range(7)]
    for job_id in ids:
        assert ended(service, job_id)["batch_id"] == batch
    return ids


def batch_of(service: Served, job_id: str) -> str:
    found: str = job(service, job_id)["batch_id"]
    return found


def pages(service: Served, path: str) -> Iterator[dict[str, Any]]:
    """Follow the Link header to the end."""
    while path:
        answer = service.http.get(path)
        assert answer.status_code == 200, answer.text
        yield answer.json()
        link = re.fullmatch(r'<(.+)>; rel="next"', answer.headers.get("link", ""))
        path = link[1] if link else ""


def test_pages_hold_every_job_once_newest_first(
    service: Served, seven: list[str]
) -> None:
    path = f"/v1/jobs?limit=3&batch_id={batch_of(service, seven[0])}"
    found = list(pages(service, path))
    assert [len(page["data"]) for page in found] == [3, 3, 1]
    assert [page["has_more"] for page in found] == [True, True, False]
    listed = [entry["job_id"] for page in found for entry in page["data"]]
    assert listed == seven[::-1]


def test_the_cursor_may_be_used_by_hand(service: Served, seven: list[str]) -> None:
    query: dict[str, Any] = {"limit": 4, "batch_id": batch_of(service, seven[0])}
    first = service.http.get("/v1/jobs", params=query).json()
    query["cursor"] = first["next_cursor"]
    rest = service.http.get("/v1/jobs", params=query).json()
    assert [entry["job_id"] for entry in rest["data"]] == seven[2::-1]
    assert rest["next_cursor"] is None


def test_a_page_that_is_exactly_full_has_no_next(
    service: Served, seven: list[str]
) -> None:
    path = f"/v1/jobs?limit=7&batch_id={batch_of(service, seven[0])}"
    assert [len(page["data"]) for page in pages(service, path)] == [7]


def test_a_status_selects(service: Served, seven: list[str]) -> None:
    for status in ("succeeded", "failed", "created"):
        listed = service.http.get("/v1/jobs", params={"status": status}).json()
        assert {entry["status"] for entry in listed["data"]} <= {status}
    batch = batch_of(service, seven[0])
    query = {"status": "failed", "batch_id": batch}
    assert service.http.get("/v1/jobs", params=query).json()["data"] == []


def test_a_listed_job_is_the_document_itself(service: Served, seven: list[str]) -> None:
    query: dict[str, Any] = {"batch_id": batch_of(service, seven[0]), "limit": 1}
    (listed,) = service.http.get("/v1/jobs", params=query).json()["data"]
    alone = job(service, seven[-1])
    assert listed.keys() == alone.keys()
    assert listed["outputs"][0]["sha256"] == alone["outputs"][0]["sha256"]


def test_who_waits_is_told_the_place_in_line(
    service: Served, busy: list[str], photo_vga: Path
) -> None:
    waiting = [submitted(service, photo_vga) for _ in range(3)]
    places = [job(service, job_id)["queue_position"] for job_id in waiting]
    for job_id in busy:
        service.http.delete(f"/v1/jobs/{job_id}")
    assert None not in places
    assert places == sorted(set(places))
    ends = [ended(service, job_id) for job_id in waiting]
    assert {end["queue_position"] for end in ends} == {None}
