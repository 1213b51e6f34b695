"""Jobs after they were submitted: read, wait, list, cancel, delete, retry."""

from __future__ import annotations

import asyncio
import json
import threading
from datetime import timedelta
from typing import Any

import pytest
from tests.contract.http.asgi import Exchange, until
from tests.contract.http.site import Site, pointers, problem
from tests.stopwatch import Stopwatch

from pixtools.api.config import ApiConfig
from pixtools.domain.document import JobDocument
from pixtools.domain.events import ending

UNKNOWN = "01890a5d-ac96-774b-bcce-b302099a8057"
BY_ID = [
    ("GET", ""),
    ("GET", "/events"),
    ("POST", "/start"),
    ("POST", "/cancel"),
    ("POST", "/retry"),
    ("DELETE", ""),
]


def made(site: Site, **fields: Any) -> str:
    job_id: str = site.upload(**fields).json()["job_id"]
    return job_id


@pytest.mark.parametrize(("method", "rest"), BY_ID)
@pytest.mark.parametrize("job_id", [UNKNOWN, "x", "%00", UNKNOWN.upper(), "é"])
def test_an_unknown_job_is_not_found(
    site: Site, method: str, rest: str, job_id: str
) -> None:
    problem(site.ask(method, f"/v1/jobs/{job_id}{rest}"), 404, "job_not_found")


@pytest.mark.parametrize(("method", "rest"), BY_ID)
def test_an_expired_job_is_gone(site: Site, method: str, rest: str) -> None:
    job_id = made(site)
    site.work()
    site.house.clock.advance(timedelta(hours=25))
    problem(site.ask(method, f"/v1/jobs/{job_id}{rest}"), 410, "job_expired")


class TestReading:
    def test_a_job_is_shown_as_its_document(self, site: Site) -> None:
        job_id = made(site)
        waiting = site.ask("GET", f"/v1/jobs/{job_id}")
        assert JobDocument.model_validate_json(waiting.text).status == "queued"
        assert waiting.headers["retry-after"] == "1"
        assert waiting.json()["queue_position"] == 0
        site.work()
        done = site.ask("GET", f"/v1/jobs/{job_id}")
        document = JobDocument.model_validate_json(done.text)
        assert document.status == "succeeded"
        assert document.outputs[0].url
        assert document.archive is not None
        assert document.archive.url
        assert "retry-after" not in done.headers

    def test_an_unchanged_job_is_not_sent_again(self, site: Site) -> None:
        job_id = made(site)
        tag = site.ask("GET", f"/v1/jobs/{job_id}").headers["etag"]
        assert tag.startswith('W/"')
        headers = {"If-None-Match": f'"other", {tag}'}
        again = site.ask("GET", f"/v1/jobs/{job_id}", headers=headers)
        assert again.status_code == 304
        assert again.headers["etag"] == tag
        assert again.content == b""
        site.work()
        changed = site.ask("GET", f"/v1/jobs/{job_id}", headers=headers)
        assert changed.status_code == 200
        assert changed.headers["etag"] != tag

    def test_fresh_links_alone_do_not_change_the_tag_but_time_does(
        self, site: Site
    ) -> None:
        job_id = made(site)
        site.work()
        one, two = (site.ask("GET", f"/v1/jobs/{job_id}") for _ in range(2))
        assert one.json()["outputs"][0]["url"] != two.json()["outputs"][0]["url"]
        assert one.headers["etag"] == two.headers["etag"]
        site.house.clock.advance(600)
        later = site.ask("GET", f"/v1/jobs/{job_id}")
        assert later.headers["etag"] != one.headers["etag"]

    def test_a_304_confirms_no_link_that_is_older_than_its_period(self) -> None:
        site = Site(config=ApiConfig(link_period=4))
        path = f"/v1/jobs/{made(site)}"
        site.work()
        for _ in range(20):
            tag = site.ask("GET", path).headers["etag"]
            given = site.house.clock.now()
            while True:
                site.house.clock.advance(0.5)
                headers = {"If-None-Match": tag}
                if site.ask("GET", path, headers=headers).status_code == 200:
                    break
                age = (site.house.clock.now() - given).total_seconds()
                assert age < 4

    @pytest.mark.parametrize("wait", ["-1", "31", "x", "nan", "inf"])
    def test_a_wait_that_is_none_is_refused(self, site: Site, wait: str) -> None:
        answer = site.ask("GET", f"/v1/jobs/{made(site)}?wait={wait}")
        assert pointers(problem(answer, 422, "invalid_request")) == ["/wait"]


class TestWaiting:
    """By the bell alone: nobody would look again within the time of a test."""

    @pytest.fixture
    def site(self) -> Site:
        return Site(config=ApiConfig(poll_interval=3600))

    def test_the_answer_comes_as_soon_as_the_job_has_ended(self, site: Site) -> None:
        job_id = made(site)

        async def story() -> float:
            async with Exchange(site.app, "GET", f"/v1/jobs/{job_id}?wait=30") as get:
                # All that comes before the end would only wake it.
                await until(lambda: site.bell._listeners.keys() == {ending(job_id)})
                with Stopwatch() as watch:
                    threading.Thread(target=site.work).start()
                    assert (await get.head()).status == 200
                    document = json.loads(await get.body())
                assert document["status"] == "succeeded"
                assert document["archive"]["status"] == "succeeded"
                return watch.seconds

        assert asyncio.run(story()) < 5

    def test_with_a_tag_any_change_is_enough(self, site: Site) -> None:
        job_id = made(site)
        tag = site.ask("GET", f"/v1/jobs/{job_id}").headers["etag"]

        async def story() -> str:
            path = f"/v1/jobs/{job_id}?wait=30"
            headers = {"If-None-Match": tag}
            async with Exchange(site.app, "GET", path, headers) as get:
                await until(lambda: site.bell._listeners)
                threading.Thread(target=site.work).start()
                assert (await get.head()).status == 200
                return str(json.loads(await get.body())["status"])

        assert asyncio.run(story()) != "queued"

    def test_when_time_is_up_the_job_is_shown_as_it_is(self, site: Site) -> None:
        answer = site.ask("GET", f"/v1/jobs/{made(site)}?wait=0.05")
        assert answer.json()["status"] == "queued"


class TestListing:
    def test_jobs_come_newest_first_in_pages(self, site: Site) -> None:
        ids = [made(site) for _ in range(5)]
        seen: list[str] = []
        path = "/v1/jobs?limit=2&status=queued"
        while path:
            answer = site.ask("GET", path)
            page = answer.json()
            seen += [job["job_id"] for job in page["data"]]
            assert page["has_more"] is ("link" in answer.headers)
            link = answer.headers.get("link", "")
            path = link.partition(">")[0].removeprefix("<")
            if path:
                assert link.endswith('>; rel="next"')
                assert page["next_cursor"] in path
        assert seen == ids[::-1]

    def test_only_a_status_or_a_batch(self, site: Site) -> None:
        done = made(site)
        site.work()
        batch_id = site.ask("POST", "/v1/batches", json={}).json()["batch_id"]
        waiting = made(site, batch_id=batch_id)

        def listed(query: str) -> list[str]:
            answer = site.ask("GET", f"/v1/jobs?{query}")
            return [job["job_id"] for job in answer.json()["data"]]

        assert listed("status=succeeded") == [done]
        assert listed(f"batch_id={batch_id}") == [waiting]
        assert listed("status=failed") == []

    @pytest.mark.parametrize(
        ("query", "pointer"),
        [
            ("status=lost", "/status"),
            ("limit=0", "/limit"),
            ("limit=101", "/limit"),
            ("limit=x", "/limit"),
            ("cursor=%00", "/cursor"),
            ("cursor=abc", "/cursor"),
            ("cursor=ä", "/cursor"),
        ],
    )
    def test_a_wrong_query_is_named(self, site: Site, query: str, pointer: str) -> None:
        answer = site.ask("GET", f"/v1/jobs?{query}")
        assert pointers(problem(answer, 422, "invalid_request")) == [pointer]


class TestStopping:
    def test_canceling_is_idempotent(self, site: Site) -> None:
        job_id = made(site)
        for _ in range(2):
            answer = site.ask("POST", f"/v1/jobs/{job_id}/cancel")
            assert answer.status_code == 202
            assert answer.json()["status"] == "canceled"
        assert site.work() == 0

    def test_a_job_that_has_ended_stays_as_it_is(self, site: Site) -> None:
        job_id = made(site)
        site.work()
        answer = site.ask("POST", f"/v1/jobs/{job_id}/cancel")
        assert answer.json()["status"] == "succeeded"

    def test_deleting_erases_all(self, site: Site) -> None:
        job_id = made(site)
        site.work()
        assert site.left()[0]
        answer = site.ask("DELETE", f"/v1/jobs/{job_id}")
        assert answer.status_code == 204
        assert answer.content == b""
        assert site.left() == ([], [])
        problem(site.ask("DELETE", f"/v1/jobs/{job_id}"), 404, "job_not_found")


class TestRetrying:
    def test_failed_outputs_run_again_as_a_new_job(self, site: Site) -> None:
        site.house.renderer.bad = {"small": "encode_failed"}
        job_id = made(site)
        site.work()
        site.house.renderer.bad = {}
        headers = {"Idempotency-Key": "again"}
        answers = [
            site.ask("POST", f"/v1/jobs/{job_id}/retry", headers=headers)
            for _ in range(2)
        ]
        assert [answer.status_code for answer in answers] == [202, 202]
        new_id = answers[0].json()["job_id"]
        assert new_id != job_id
        assert answers[1].json()["job_id"] == new_id
        assert answers[0].headers["location"] == f"/v1/jobs/{new_id}"
        site.work()
        assert site.ask("GET", f"/v1/jobs/{new_id}").json()["status"] == "succeeded"
        assert site.ask("GET", f"/v1/jobs/{job_id}").json()["status"] == "failed"

    def test_nothing_failed_is_a_conflict(self, site: Site) -> None:
        job_id = made(site)
        problem(site.ask("POST", f"/v1/jobs/{job_id}/retry"), 409, "job_conflict")
        site.work()
        problem(site.ask("POST", f"/v1/jobs/{job_id}/retry"), 409, "job_conflict")
