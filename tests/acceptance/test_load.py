"""What a service does that has too much to do, or nothing."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest
from tests.acceptance.refusing import checked
from tests.acceptance.visiting import (
    ENDLESS,
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
    """Its worker is busy and no place in line is left; nothing moves any more."""
    slow = submitted(narrow, photo_12mp, ENDLESS)
    waiting = []
    try:
        eventually(lambda: job(narrow, slow)["progress"] > 0, 60)
        while (answer := post(narrow, photo_vga)).status_code == 202:
            waiting.append(answer.json()["job_id"])
        assert len(waiting) in (2, 3)
        # The first one has its photo at hand, and waits for the worker.
        eventually(lambda: len(_at_hand(narrow)) == 2, 60, lambda: str(narrow.files()))
        yield narrow
    finally:  # or it keeps the worker from whatever comes next
        narrow.http.delete(f"/v1/jobs/{slow}")
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


def test_what_waits_is_begun_in_the_order_in_which_it_came(
    narrow: Serving, photo_vga: Path
) -> None:
    """Not ended: while one puts its outputs away, the next one is at work."""
    jobs = [submitted(narrow, photo_vga) for _ in range(3)]
    begun = [ended(narrow, job_id)["started_at"] for job_id in jobs]
    assert begun == sorted(begun)


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
    eventually(lambda: not (_waiting(narrow) or _at_hand(narrow)), 60)
    tree = _tree(narrow)
    before = {process: _cpu(process) for process in tree}
    since = time.monotonic()
    time.sleep(2)
    used = sum(max(0.0, _cpu(process) - before[process]) for process in tree)
    assert used / (time.monotonic() - since) < 0.1


def test_a_service_with_nothing_to_do_is_small(
    narrow: Serving, photo_12mp: Path
) -> None:
    """Its whole tree of processes; the first PixTools took 1,096 MB."""
    made(narrow, photo_12mp, None, preset="gallery")
    eventually(lambda: _memory(narrow) < 180e6, 30, lambda: f"{_memory(narrow):,}")


def _tree(service: Serving) -> list[psutil.Process]:
    service_itself = psutil.Process(service.process.pid)
    return [service_itself, *service_itself.children(recursive=True)]


def _memory(service: Serving) -> int:
    return sum(map(_resident, _tree(service)))


def _resident(process: psutil.Process) -> int:
    """Bytes; none if it has ended meanwhile, as pixel children do that have grown."""
    with suppress(psutil.NoSuchProcess):
        return int(process.memory_info().rss)
    return 0


def _at_hand(service: Serving) -> set[str]:
    """Where somebody is at work: directories of scratch that hold something."""
    files = (name.split("/") for name in service.files())
    return {place for top, place, *_ in files if top == "scratch"}


def _waiting(service: Serving) -> list[Any]:
    found = []
    for status in ("queued", "processing"):
        listed = service.http.get("/v1/jobs", params={"status": status}).json()
        found += listed["data"]
    return found


def _cpu(process: psutil.Process) -> float:
    """Seconds; none if it has ended meanwhile."""
    with suppress(psutil.NoSuchProcess):
        times = process.cpu_times()
        return float(times.user + times.system)
    return 0.0
