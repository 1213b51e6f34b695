"""Cancel, delete, retry: a job that is wanted no more, or once more."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.acceptance.deployed import Served
from tests.acceptance.visiting import (
    ENDLESS,
    Step,
    ended,
    events,
    job,
    made,
    post,
    submitted,
)
from tests.stopwatch import Stopwatch

from pixtools.testing.serving import eventually

pytestmark = pytest.mark.anywhere


HALF_GOOD: list[Step] = [
    {"id": "good", "action": "convert", "format": "webp"},
    {"id": "bad", "action": "convert", "format": "jpg", "max_bytes": 10},
]


@pytest.fixture
def running(service: Served, photo_12mp: Path) -> Iterator[str]:
    """A job in the middle of a long encode."""
    job_id = submitted(service, photo_12mp, ENDLESS)
    try:
        eventually(lambda: job(service, job_id)["progress"] > 0, 60)
        yield job_id
    finally:  # or it keeps a worker from whatever comes next
        service.http.delete(f"/v1/jobs/{job_id}")


def traces(service: Served, job_id: str) -> list[str]:
    """Files and rows that remind of a job."""
    files = [name for name in service.files() if job_id in name]
    return files + service.rows_of(job_id)


class TestCancel:
    def test_a_job_that_waits_is_canceled_at_once(
        self, service: Served, busy: list[str], photo_vga: Path
    ) -> None:
        waiting = submitted(service, photo_vga)
        answer = service.http.post(f"/v1/jobs/{waiting}/cancel")
        assert answer.status_code == 202
        document = answer.json()
        assert document["status"] == "canceled"
        assert document["outputs"][0]["status"] == "skipped"
        assert document["archive"]["status"] == "skipped"
        assert document["queue_position"] is None
        assert document["finished_at"]

    def test_a_job_is_stopped_in_the_middle_of_an_encode(
        self, service: Served, running: str
    ) -> None:
        """Else it would go on for longer than is waited for here, on any machine."""
        with Stopwatch() as watch:
            assert service.http.post(f"/v1/jobs/{running}/cancel").status_code == 202
            document = ended(service, running, within=25)
        assert watch.seconds < 6
        assert document["status"] == "canceled"
        assert [o["status"] for o in document["outputs"]] == ["skipped"]
        assert document["outputs"][0]["url"] is None

    def test_it_leaves_no_output_behind(self, service: Served, running: str) -> None:
        service.http.post(f"/v1/jobs/{running}/cancel")
        ended(service, running, within=25)
        left = [name for name in service.files() if running in name]
        assert all(name.startswith("objects/raw/") for name in left), left

    def test_watchers_hear_of_it(self, service: Served, running: str) -> None:
        service.http.post(f"/v1/jobs/{running}/cancel")
        told = events(service, f"/v1/jobs/{running}")
        assert told[-1].kind == "done"
        assert told[-1].document["status"] == "canceled"

    def test_the_workers_go_on(
        self, service: Served, busy: list[str], photo_vga: Path
    ) -> None:
        waiting = submitted(service, photo_vga)
        for job_id in busy:
            service.http.post(f"/v1/jobs/{job_id}/cancel")
        assert ended(service, waiting, within=20)["status"] == "succeeded"

    def test_twice_is_as_good_as_once(
        self, service: Served, busy: list[str], photo_vga: Path
    ) -> None:
        waiting = submitted(service, photo_vga)
        first, again = (
            service.http.post(f"/v1/jobs/{waiting}/cancel") for _ in range(2)
        )
        assert (again.status_code, again.json()) == (202, first.json())

    def test_a_job_that_has_ended_stays_as_it_ended(
        self, service: Served, photo_vga: Path
    ) -> None:
        done = made(service, photo_vga)
        answer = service.http.post(f"/v1/jobs/{done['job_id']}/cancel")
        assert (answer.status_code, answer.json()["status"]) == (202, "succeeded")

    def test_a_job_that_waits_for_its_upload_can_be_canceled(
        self, service: Served
    ) -> None:
        order = {"source_type": "s3_presigned", "preset": "gallery"}
        announced = service.http.post("/v1/jobs", json=order).json()
        answer = service.http.post(announced["links"]["cancel"])
        assert answer.json()["status"] == "canceled"
        assert service.http.post(announced["start_url"]).json()["status"] == "canceled"


class TestDelete:
    def test_nothing_reminds_of_a_deleted_job(
        self, service: Served, photo_vga: Path
    ) -> None:
        document = made(service, photo_vga)
        job_id = document["job_id"]
        assert traces(service, job_id)
        assert service.http.delete(f"/v1/jobs/{job_id}").status_code == 204
        assert traces(service, job_id) == []
        gone = service.http.get(f"/v1/jobs/{job_id}")
        assert (gone.status_code, gone.json()["code"]) == (404, "job_not_found")
        assert service.http.delete(f"/v1/jobs/{job_id}").status_code == 404
        link = service.http.get(document["outputs"][0]["url"])
        assert link.status_code == 404

    def test_not_even_of_one_that_was_running(
        self, service: Served, running: str
    ) -> None:
        assert service.http.delete(f"/v1/jobs/{running}").status_code == 204
        assert service.http.get(f"/v1/jobs/{running}").status_code == 404
        eventually(
            lambda: not traces(service, running),
            10,
            lambda: str(traces(service, running)),
        )


class TestRetry:
    def test_only_what_failed_is_made_again_as_a_new_job(
        self, service: Served, photo_vga: Path
    ) -> None:
        first = made(service, photo_vga, HALF_GOOD, metadata='{"order": 7}')
        assert first["status"] == "partial"
        answer = service.http.post(first["links"]["retry"])
        assert answer.status_code == 202
        second = answer.json()
        assert second["job_id"] != first["job_id"]
        assert answer.headers["location"] == f"/v1/jobs/{second['job_id']}"
        assert [output["id"] for output in second["outputs"]] == ["bad"]
        assert second["client_metadata"] == {"order": 7}
        assert second["source"] == first["source"]
        again = ended(service, second["job_id"])
        assert again["status"] == "failed"
        assert again["error"]["code"] == "max_bytes_unreachable"
        assert job(service, first["job_id"])["status"] == "partial"

    def test_the_new_job_outlives_the_first(
        self, service: Served, photo_vga: Path
    ) -> None:
        first = made(service, photo_vga, HALF_GOOD)
        second = service.http.post(first["links"]["retry"]).json()["job_id"]
        service.http.delete(f"/v1/jobs/{first['job_id']}")
        assert ended(service, second)["status"] == "failed"
        assert any(second in name for name in service.files())

    def test_a_canceled_job_can_be_run_after_all(
        self, service: Served, busy: list[str], photo_vga: Path
    ) -> None:
        waiting = submitted(service, photo_vga)
        canceled = service.http.post(f"/v1/jobs/{waiting}/cancel").json()
        second = service.http.post(canceled["links"]["retry"]).json()["job_id"]
        for job_id in busy:
            service.http.post(f"/v1/jobs/{job_id}/cancel")
        assert ended(service, second, within=20)["status"] == "succeeded"

    def test_what_did_not_fail_is_not_retried(
        self, service: Served, photo_vga: Path
    ) -> None:
        job_id = made(service, photo_vga)["job_id"]
        answer = service.http.post(f"/v1/jobs/{job_id}/retry")
        assert (answer.status_code, answer.json()["code"]) == (409, "job_conflict")

    def test_a_key_makes_it_safe_to_repeat(
        self, service: Served, photo_vga: Path
    ) -> None:
        first = made(service, photo_vga, HALF_GOOD)
        key = {"Idempotency-Key": f"retry-{first['job_id']}"}
        one, two = (
            service.http.post(first["links"]["retry"], headers=key) for _ in range(2)
        )
        assert one.json()["job_id"] == two.json()["job_id"]
        assert two.headers["idempotent-replayed"] == "true"


class TestPartialSuccess:
    def test_one_bad_output_does_not_spoil_the_others(
        self, service: Served, photo_vga: Path
    ) -> None:
        document = made(service, photo_vga, HALF_GOOD)
        good, bad = document["outputs"]
        assert (good["status"], bad["status"]) == ("succeeded", "failed")
        assert bad["error"]["code"] == "max_bytes_unreachable"
        assert bad["error"]["retryable"] is False
        assert document["error"] is None
        assert document["archive"]["status"] == "succeeded"

    def test_the_pixtools_face_tells_a_sentence_for_it(
        self, service: Served, photo_vga: Path
    ) -> None:
        job_id = made(service, photo_vga, HALF_GOOD)["job_id"]
        shown = service.http.get(f"/api/jobs/{job_id}").json()
        assert shown["status"] == "COMPLETED"
        assert shown["error_message"].startswith("bad: ")
        assert set(shown["result_urls"]) == {"good"}

    def test_permanent_errors_fail_at_once(
        self, service: Served, sources: dict[str, Path]
    ) -> None:
        cut = sources["jpg-baseline"].read_bytes()[:-700]
        with Stopwatch() as watch:
            document = ended(service, post(service, cut).json()["job_id"])
        assert document["status"] == "failed"
        assert document["error"]["code"] == "truncated_image"
        assert document["error"]["retryable"] is False
        # The pauses between five attempts would take fifteen seconds at least.
        assert watch.seconds < 5
