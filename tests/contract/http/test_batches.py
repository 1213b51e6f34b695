"""Batches: jobs submitted together, one progress, one ZIP; all are taken, or none."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from tests.contract.http.site import GIF, PIPELINE, Site, pointers, problem

from pixtools.domain.job import Batch
from pixtools.testing.doubtful import DoubtfulDatabase
from pixtools.testing.house import tiny_gif
from pixtools.testing.memory_jobs import MemoryDatabase

LATER: dict[str, Any] = {"source_type": "s3_presigned", "pipeline": PIPELINE}
UNKNOWN = "01890a5d-ac96-774b-bcce-b302099a8057"


def photos(site: Site, *data: bytes, key: str | None = None, **fields: str) -> Any:
    files = [("file", (f"{index}.gif", each)) for index, each in enumerate(data)]
    wish = fields or {"pipeline": json.dumps(PIPELINE)}
    headers = {"Idempotency-Key": key} if key else {}
    return site.ask("POST", "/v1/batches", files=files, data=wish, headers=headers)


class TestOfPhotos:
    def test_all_photos_come_in_one_request_and_end_in_one_zip(
        self, site: Site
    ) -> None:
        answer = photos(site, GIF, tiny_gif(9, 9), tiny_gif(8, 8))
        assert answer.status_code == 201
        batch = answer.json()
        here = f"/v1/batches/{batch['batch_id']}"
        assert answer.headers["location"] == here
        assert [job["source"]["filename"] for job in batch["jobs"]] == [
            "0.gif",
            "1.gif",
            "2.gif",
        ]
        assert batch["status"] == "processing"
        site.work()
        done = site.ask("GET", here).json()
        assert done["status"] == "succeeded"
        assert done["progress"] == 1
        assert done["archive"]["url"]
        assert all(job["batch_id"] == batch["batch_id"] for job in done["jobs"])

    def test_one_file_that_is_no_image_refuses_all(self, site: Site) -> None:
        problem(photos(site, GIF, b"text" * 200), 415, "unsupported_format")
        assert site.left() == ([], [])

    def test_a_wish_that_fits_only_some_photos_refuses_all(self, site: Site) -> None:
        png = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\xa0\0\0\0p\x08\x02\0\0\0" + bytes(
            99
        )
        steps = [{"id": "a", "action": "resize", "width": 9, "effort": 1}]
        answer = photos(
            site, GIF, png, pipeline=json.dumps([{**steps[0], "effort": 10}])
        )
        problem(answer, 422, "invalid_pipeline")
        assert site.left() == ([], [])

    def test_a_batch_may_stay_open_for_more(self, site: Site) -> None:
        batch = photos(site, GIF, preset="gallery", closed="false").json()
        assert batch["status"] == "open"
        assert site.upload(batch_id=batch["batch_id"]).status_code == 202

    @pytest.mark.parametrize(
        ("fields", "pointer"),
        [
            ({"preset": "gallery", "closed": "perhaps"}, "/closed"),
            ({"preset": "gallery", "batch_id": UNKNOWN}, "/batch_id"),
            ({"preset": "none"}, "/preset"),
        ],
    )
    def test_a_wrong_field_is_named(
        self, site: Site, fields: dict[str, Any], pointer: str
    ) -> None:
        answer = photos(site, GIF, **fields)
        assert answer.status_code == 422
        assert pointers(answer.json()) == [pointer]
        assert site.left() == ([], [])

    def test_more_files_than_allowed_are_refused(self, site: Site) -> None:
        answer = photos(site, *[GIF] * 101)
        assert pointers(problem(answer, 422, "invalid_request")) == ["/file"]
        assert site.left() == ([], [])


class TestOfOrders:
    def test_an_empty_batch_is_filled_job_by_job_and_closed(self, site: Site) -> None:
        made = site.ask("POST", "/v1/batches", json={})
        assert made.status_code == 201
        here = made.headers["location"]
        batch_id = made.json()["batch_id"]
        assert made.json()["status"] == "open"
        assert made.headers["retry-after"]
        for _ in range(2):
            site.upload(batch_id=batch_id)
        site.work()
        assert site.ask("GET", here).json()["archive"]["url"] is None
        for _ in range(2):
            assert site.ask("POST", f"{here}/close").status_code == 202
        site.work()
        done = site.ask("GET", here)
        assert done.json()["archive"]["url"]
        headers = {"If-None-Match": done.headers["etag"]}
        assert site.ask("GET", here, headers=headers).status_code == 304

    def test_jobs_that_are_given_say_where_to_put_their_photos(
        self, site: Site
    ) -> None:
        answer = site.ask("POST", "/v1/batches", json={"jobs": [LATER, LATER]})
        batch = answer.json()
        ids = [job["job_id"] for job in batch["jobs"]]
        assert list(batch["uploads"]) == ids
        assert all(each["presigned_put_url"] for each in batch["uploads"].values())
        assert batch["status"] == "processing"

    def test_a_batch_without_a_zip_has_none(self, site: Site) -> None:
        answer = site.ask("POST", "/v1/batches", json={"archive": False})
        assert answer.json()["archive"] is None

    def test_one_order_that_can_not_be_placed_refuses_all(self, site: Site) -> None:
        missing = {**LATER, "source_type": "object", "object_key": "inbox/default/x"}
        answer = site.ask("POST", "/v1/batches", json={"jobs": [LATER, missing]})
        problem(answer, 409, "source_missing")
        assert site.left() == ([], [])

    @pytest.mark.parametrize(
        ("body", "pointer"),
        [
            ({"jobs": [LATER, {}]}, "/jobs/1/source_type"),
            ({"jobs": [{**LATER, "pipeline": []}]}, "/jobs/0/pipeline"),
            (
                {"jobs": [{**LATER, "pipeline": [{"id": "a", "action": "resize"}]}]},
                "/jobs/0/pipeline/0/width",
            ),
            ({"jobs": [{**LATER, "batch_id": UNKNOWN}]}, "/jobs/0/batch_id"),
            ({"jobs": [{**LATER, "webhook_url": "x"}]}, "/jobs/0/webhook_url"),
            (
                {"jobs": [{"source_type": "s3_presigned", "preset": "x"}]},
                "/jobs/0/preset",
            ),
            (
                {"jobs": [{**LATER, "source_type": "url", "url": "ftp://x"}]},
                "/jobs/0/url",
            ),
            ({"jobs": [LATER] * 101}, "/jobs"),
            ({"zip": True}, "/zip"),
            ([], "/"),
        ],
    )
    def test_a_wrong_order_is_named_and_leaves_nothing(
        self, site: Site, body: object, pointer: str
    ) -> None:
        answer = site.ask("POST", "/v1/batches", json=body)
        assert answer.status_code == 422, answer.text
        assert pointer in pointers(answer.json())
        assert site.left() == ([], [])

    def test_another_content_type_is_refused(self, site: Site) -> None:
        headers = {"Content-Type": "text/csv"}
        answer = site.ask("POST", "/v1/batches", content=b"x", headers=headers)
        problem(answer, 415, "unsupported_media_type")


def test_a_refused_batch_leaves_no_batch_behind(site: Site) -> None:
    database = MemoryDatabase()
    site.lean_on(database=database)
    photos(site, GIF, pipeline='[{"id":"a","action":"denoise"}]')
    assert batches(database) == []
    photos(site, GIF)
    site.work()
    assert len(batches(database)) == 1


def batches(database: MemoryDatabase) -> list[Batch]:
    """All batches, whenever they expire."""
    with database.read() as tx:
        return list(tx.batches.expired(datetime(9999, 1, 1, tzinfo=UTC), 100))


class TestIdempotency:
    def test_a_batch_of_photos_is_made_once(self, site: Site) -> None:
        first = photos(site, GIF, tiny_gif(9, 9), key="k")
        again = photos(site, GIF, tiny_gif(9, 9), key="k")
        assert again.status_code == 201
        assert again.headers["idempotent-replayed"] == "true"
        assert "idempotent-replayed" not in first.headers
        assert again.json()["batch_id"] == first.json()["batch_id"]
        assert [len(each) for each in site.left()] == [2, 2]

    def test_a_batch_of_orders_is_made_once(self, site: Site) -> None:
        answers = [
            site.ask(
                "POST",
                "/v1/batches",
                json={"jobs": [LATER, LATER]},
                headers={"Idempotency-Key": "k"},
            ).json()
            for _ in range(2)
        ]
        assert answers[0]["batch_id"] == answers[1]["batch_id"]
        assert list(answers[1]["uploads"]) == list(answers[0]["uploads"])
        assert len(site.left()[1]) == 2

    def test_other_photos_under_the_same_key_are_refused(self, site: Site) -> None:
        photos(site, GIF, key="k")
        answer = photos(site, tiny_gif(9, 9), key="k")
        problem(answer, 422, "idempotency_mismatch")
        assert [len(each) for each in site.left()] == [1, 1]

    def test_a_refused_batch_may_be_tried_again_under_its_key(self, site: Site) -> None:
        site.rule(queue_size=1)
        problem(photos(site, GIF, GIF, key="k"), 503, "queue_full")
        assert site.left() == ([], [])
        site.rule(queue_size=9)
        assert len(photos(site, GIF, GIF, key="k").json()["jobs"]) == 2

    def test_what_is_missing_of_an_earlier_attempt_joins_the_same_batch(
        self, site: Site
    ) -> None:
        wish = {"preset": "gallery", "closed": "false"}
        first = photos(site, GIF, GIF, key="k", **wish).json()
        site.ask("DELETE", f"/v1/jobs/{first['jobs'][1]['job_id']}")
        again = photos(site, GIF, GIF, key="k", **wish)
        assert "idempotent-replayed" not in again.headers
        assert again.json()["batch_id"] == first["batch_id"]
        assert len(again.json()["jobs"]) == 2
        assert again.json()["jobs"][0]["job_id"] == first["jobs"][0]["job_id"]


@pytest.mark.parametrize("happens", [True, False])
class TestDoubts:
    """A commit that nobody answers: the client reads 503, whether it happened or not."""

    PHOTOS = (GIF, tiny_gif(9, 9), tiny_gif(8, 8))

    def after_each(self, happens: bool, key: str | None) -> Iterator[Site]:
        """A site after each commit of a batch of three that was not answered."""
        for commit in range(1, 100):
            site = Site()
            quiet = site.house.service.database
            doubtful = DoubtfulDatabase(quiet, commit, happens=happens)
            site.lean_on(database=doubtful)
            answer = photos(site, *self.PHOTOS, key=key)
            if not doubtful.reached:
                assert answer.status_code == 201
                return
            problem(answer, 503, "database_unavailable")
            site.lean_on(database=quiet)
            yield site
        pytest.fail("The story never ends.")

    def test_a_batch_that_is_sent_again_under_its_key_is_whole(
        self, happens: bool
    ) -> None:
        for site in self.after_each(happens, "k"):
            answer = photos(site, *self.PHOTOS, key="k")
            assert answer.status_code == 201
            names = [job["source"]["filename"] for job in answer.json()["jobs"]]
            assert names == ["0.gif", "1.gif", "2.gif"]
            assert len(site.left()[1]) == 3
            site.work()
            done = site.ask("GET", answer.headers["location"]).json()
            assert done["status"] == done["archive"]["status"] == "succeeded"

    def test_without_a_key_all_jobs_were_taken_or_none(self, happens: bool) -> None:
        for site in self.after_each(happens, None):
            assert len(site.left()[1]) in {0, 3}


def test_nothing_joins_a_closed_batch(site: Site) -> None:
    batch = photos(site, GIF).json()
    answer = site.upload(batch_id=batch["batch_id"])
    problem(answer, 409, "job_conflict")
    assert len(site.left()[1]) == 1


def test_nothing_joins_a_batch_that_is_not_there(site: Site) -> None:
    problem(site.upload(batch_id=UNKNOWN), 404, "batch_not_found")
    problem(site.upload(batch_id="x"), 404, "batch_not_found")
    assert site.left() == ([], [])


@pytest.mark.parametrize("batch_id", [UNKNOWN, "x", "%00"])
@pytest.mark.parametrize(
    ("method", "rest"), [("GET", ""), ("GET", "/events"), ("POST", "/close")]
)
def test_an_unknown_batch_is_not_found(
    site: Site, method: str, rest: str, batch_id: str
) -> None:
    answer = site.ask(method, f"/v1/batches/{batch_id}{rest}")
    problem(answer, 404, "batch_not_found")
