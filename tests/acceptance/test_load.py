"""What a service does that has too much to do, or nothing."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from tests.acceptance.refusing import checked
from tests.acceptance.visiting import (
    SLOW,
    WEBP,
    at_once,
    check_whole,
    ended,
    job,
    made,
    post,
    process,
    submitted,
)

from pixtools.testing.serving import Serving, eventually, serving


@pytest.fixture(scope="module")
def narrow() -> Iterator[Serving]:
    """A service with one worker, that lets three jobs wait."""
    with serving({"WORKERS": "1", "QUEUE_SIZE": "3"}) as served:
        yield served


@pytest.fixture
def full(narrow: Serving, photo_12mp: Path, photo_vga: Path) -> Iterator[Serving]:
    """Its worker is busy and no place in line is left."""
    busy = [submitted(narrow, photo_12mp, SLOW)]
    eventually(lambda: job(narrow, busy[0])["started_at"] is not None, 20)
    waiting = []
    while (answer := post(narrow, photo_vga)).status_code == 202:
        waiting.append(answer.json()["job_id"])
    assert len(waiting) in (2, 3)
    yield narrow
    for job_id in busy:
        narrow.http.delete(f"/v1/jobs/{job_id}")
    for job_id in waiting:
        assert ended(narrow, job_id)["status"] == "succeeded"


def test_a_full_queue_says_when_to_come_back(full: Serving, photo_vga: Path) -> None:
    before = full.rows(), full.files()
    order = {"source_type": "s3_presigned", "pipeline": WEBP}
    for answer in (
        post(full, photo_vga),
        process(full, photo_vga),
        full.http.post("/v1/jobs", json=order),
    ):
        checked(answer, 503, "queue_full")
        assert int(answer.headers["retry-after"]) > 0
    assert (full.rows(), full.files()) == before


def test_it_goes_on_answering(full: Serving) -> None:
    since = time.monotonic()
    for path in ("/api/health", "/v1/jobs", "/v1/operations", "/healthz"):
        assert full.http.get(path).status_code == 200
    assert time.monotonic() - since < 10


def test_what_waits_is_done_in_the_order_in_which_it_came(
    narrow: Serving, photo_vga: Path
) -> None:
    jobs = [submitted(narrow, photo_vga) for _ in range(3)]
    ends = [ended(narrow, job_id)["finished_at"] for job_id in jobs]
    assert ends == sorted(ends)


def test_many_clients_at_once_all_get_their_own_photo(
    service: Serving, photo_vga: Path
) -> None:
    def visit(width: int) -> dict[str, Any]:
        steps = [{"id": "a", "action": "resize", "width": width, "format": "png"}]
        return ended(service, submitted(service, photo_vga, steps))

    widths = range(40, 60)
    found = at_once(*(lambda w=width: visit(w) for width in widths))
    for width, document in zip(widths, found, strict=True):
        assert document["outputs"][0]["width"] == width
        check_whole(service, document)


def test_a_service_with_nothing_to_do_does_nothing(narrow: Serving) -> None:
    """A generous bound: the benchmark measures how little it is."""
    eventually(lambda: not _waiting(narrow), 30)
    tree = [psutil.Process(narrow.process.pid)]
    tree += tree[0].children(recursive=True)
    before = sum(map(_cpu, tree))
    time.sleep(2)
    assert (sum(map(_cpu, tree)) - before) / 2 < 0.1


def test_a_service_with_nothing_to_do_is_small(
    narrow: Serving, photo_12mp: Path
) -> None:
    """Its whole tree of processes; the first PixTools took 1,096 MB."""
    made(narrow, photo_12mp, None, preset="gallery")
    eventually(lambda: _memory(narrow) < 180e6, 15, lambda: f"{_memory(narrow):,}")


def _memory(service: Serving) -> int:
    tree = [psutil.Process(service.process.pid)]
    tree += tree[0].children(recursive=True)
    return sum(process.memory_info().rss for process in tree)


def _waiting(service: Serving) -> list[Any]:
    found = []
    for status in ("queued", "processing"):
        listed = service.http.get("/v1/jobs", params={"status": status}).json()
        found += listed["data"]
    return found


def _cpu(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)
