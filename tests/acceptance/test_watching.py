"""Following a job: events, long polls and tags."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from itertools import cycle
from pathlib import Path
from typing import Any

import pytest
from tests.acceptance.deployed import Served
from tests.acceptance.visiting import (
    ENDLESS,
    Told,
    ended,
    events,
    job,
    made,
    post,
    settled,
    stream,
    submitted,
)

from pixtools.testing.serving import eventually

pytestmark = pytest.mark.anywhere


WORK = [
    {"id": "wide", "action": "resize", "width": 1000, "format": "avif", "effort": 3},
    {"id": "small", "action": "resize", "width": 400, "format": "webp"},
]
"""More than a second of work; far less than thirty on a slow machine."""
LONG = [{**WORK[0], "width": 2400}, WORK[1]]
"""Some seconds: progress is told once a second, and so on quick machines, too."""
FIRST_LOOK = timedelta(milliseconds=50)
"""After this long a waiter has seen that the job is not over."""
LOOKS_EVERY = 1.0
"""Seconds between two looks of a waiter that nobody wakes."""


@pytest.fixture(scope="module")
def told(service: Served, photo_12mp: Path) -> list[Told]:
    """Everything that was told of one job, watched before it could begin."""
    order = {"source_type": "s3_presigned", "pipeline": LONG}
    announced = service.http.post("/v1/jobs", json=order).json()
    with stream(service, f"/v1/jobs/{announced['job_id']}") as heard:
        first = next(heard)
        upload = announced["upload"]
        service.http.put(
            upload["presigned_put_url"],
            headers=upload["headers"],
            content=photo_12mp.read_bytes(),
        )
        assert service.http.post(announced["start_url"]).status_code == 202
        return [first, *heard]


class TestEvents:
    def test_they_begin_with_a_snapshot_and_end_with_done(
        self, told: list[Told]
    ) -> None:
        kinds = [event.kind for event in told]
        assert kinds[0] == "snapshot"
        assert kinds[-1] == "done"
        assert kinds.count("snapshot") == kinds.count("done") == 1
        assert set(kinds) <= {
            "snapshot",
            "status",
            "output",
            "progress",
            "archive",
            "done",
        }

    def test_every_change_is_told_in_order(self, told: list[Told]) -> None:
        kinds = [event.kind for event in told if event.kind != "progress"]
        assert kinds[-5:] == ["output", "output", "status", "archive", "done"]
        assert "progress" in {event.kind for event in told}

    def test_ids_grow_and_progress_never_falls(self, told: list[Told]) -> None:
        ids = [event.id for event in told]
        assert ids == sorted(ids)
        progress = [event.document["progress"] for event in told]
        assert progress == sorted(progress)
        assert 0 <= progress[0] < progress[-1] == 1
        assert any(0 < fraction < 1 for fraction in progress)

    def test_every_event_carries_the_whole_document(self, told: list[Told]) -> None:
        assert len({frozenset(event.document) for event in told}) == 1
        last = told[-1].document
        assert last["status"] == "succeeded"
        assert last["archive"]["status"] == "succeeded"
        assert last["archive"]["url"]

    def test_who_returns_hears_what_was_missed(
        self, service: Served, told: list[Told]
    ) -> None:
        path = f"/v1/jobs/{told[0].document['job_id']}"
        stored = [event for event in told if event.kind not in ("snapshot", "progress")]
        for position, event in enumerate(stored[:-1]):
            later = [(each.kind, each.id) for each in stored[position + 1 :]]
            missed = events(service, path, after=event.id)
            assert [(each.kind, each.id) for each in missed] == later

    def test_who_has_heard_all_is_told_not_to_return(
        self, service: Served, told: list[Told]
    ) -> None:
        path = f"/v1/jobs/{told[0].document['job_id']}/events"
        last = {"Last-Event-ID": str(told[-1].id)}
        assert service.http.get(path, headers=last).status_code == 204

    def test_a_job_that_has_ended_is_told_at_once(
        self, service: Served, photo_vga: Path
    ) -> None:
        done = made(service, photo_vga)
        heard = events(service, f"/v1/jobs/{done['job_id']}")
        assert [event.kind for event in heard] == ["snapshot", "done"]

    def test_a_watcher_who_leaves_disturbs_nobody(
        self, service: Served, photo_12mp: Path
    ) -> None:
        job_id = submitted(service, photo_12mp, WORK)
        with stream(service, f"/v1/jobs/{job_id}") as told:
            assert next(told).kind == "snapshot"
        assert ended(service, job_id)["status"] == "succeeded"


class TestWaiting:
    def test_it_answers_when_the_job_is_done_and_not_before(
        self, service: Served, photo_12mp: Path
    ) -> None:
        job_id = submitted(service, photo_12mp, WORK)
        answer = service.http.get(f"/v1/jobs/{job_id}", params={"wait": 30})
        document = answer.json()
        assert settled(document)
        assert document["status"] == "succeeded"
        assert "retry-after" not in answer.headers

    def test_it_answers_soon_after_the_end(
        self, service: Served, photo_vga: Path, photo_2mp: Path, photo_12mp: Path
    ) -> None:
        """The bell wakes the waiter; it does not sleep until some next look.

        Who is answered sooner than it would have looked again was woken. One of the
        photos takes long enough for that, and not too long, on any machine.
        """
        photos = cycle((photo_2mp, photo_vga, photo_12mp))

        def was_woken() -> bool:
            job_id = submitted(service, next(photos), archive="false")
            began, since = datetime.now(UTC), time.monotonic()
            found = service.http.get(f"/v1/jobs/{job_id}", params={"wait": 30}).json()
            seconds = time.monotonic() - since
            ran = datetime.fromisoformat(found["finished_at"]) - began
            return ran > FIRST_LOOK and seconds < LOOKS_EVERY

        eventually(was_woken, 60)

    def test_a_wait_that_is_too_short_answers_with_what_stands(
        self, service: Served
    ) -> None:
        order: dict[str, Any] = {"source_type": "s3_presigned", "preset": "gallery"}
        job_id = service.http.post("/v1/jobs", json=order).json()["job_id"]
        since = time.monotonic()
        answer = service.http.get(f"/v1/jobs/{job_id}", params={"wait": 0.6})
        assert time.monotonic() - since >= 0.6
        assert answer.json()["status"] == "created"
        assert answer.headers["retry-after"]

    def test_without_a_wait_the_answer_is_immediate(
        self, service: Served, photo_12mp: Path
    ) -> None:
        job_id = submitted(service, photo_12mp, ENDLESS)
        assert job(service, job_id)["status"] in ("queued", "processing")
        service.http.delete(f"/v1/jobs/{job_id}")


class TestTags:
    def test_an_unchanged_job_is_not_sent_again(
        self, service: Served, photo_vga: Path
    ) -> None:
        path = f"/v1/jobs/{made(service, photo_vga)['job_id']}"
        tag = service.http.get(path).headers["etag"]
        again = service.http.get(path, headers={"If-None-Match": tag})
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["etag"] == tag

    def test_a_changed_job_is(self, service: Served, photo_12mp: Path) -> None:
        answer = post(service, photo_12mp, LONG)
        path = answer.headers["location"]
        tag = service.http.get(path).headers["etag"]
        changed = service.http.get(
            path, headers={"If-None-Match": tag}, params={"wait": 30}
        )
        assert changed.status_code == 200
        assert changed.headers["etag"] != tag
        ended(service, answer.json()["job_id"])
