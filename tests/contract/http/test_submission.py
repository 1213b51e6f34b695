"""POST /v1/jobs with multipart/form-data: a photo with a wish."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest
from tests.contract.http.site import GIF, PIPELINE, Site, pointers, problem

from pixtools.domain.limits import Limits
from pixtools.testing.house import tiny_gif

WISH: dict[str, Any] = {"source_type": "s3_presigned", "pipeline": PIPELINE}


def order(site: Site, body: object, **kwargs: Any) -> Any:
    return site.ask("POST", "/v1/jobs", json=body, **kwargs)


class TestWithThePhoto:
    def test_it_is_queued_at_once(self, site: Site) -> None:
        answer = site.upload()
        assert answer.status_code == 202
        body = answer.json()
        assert body["status"] == "queued"
        assert body["source"] == {
            "filename": "cat.gif",
            "content_type": "image/gif",
            "bytes": len(GIF),
            "width": 160,
            "height": 112,
            "sha256": hashlib.sha256(GIF).hexdigest(),
        }
        assert answer.headers["location"] == f"/v1/jobs/{body['job_id']}"
        assert answer.headers["retry-after"] == "1"
        assert answer.headers["cache-control"] == "no-store"
        assert site.work() == 1

    def test_the_clients_own_words_are_given_back(self, site: Site) -> None:
        answer = site.upload(metadata='{"order": 17, "ünï": ["x"]}')
        assert answer.json()["client_metadata"] == {"order": 17, "ünï": ["x"]}

    def test_a_preset_stands_for_a_pipeline(self, site: Site) -> None:
        ids = [
            output["id"] for output in site.upload(preset="gallery").json()["outputs"]
        ]
        assert ids == ["large", "medium", "small", "thumbnail"]

    @pytest.mark.parametrize(("text", "made"), [("true", True), ("0", False)])
    def test_an_archive_is_made_if_wanted(
        self, site: Site, text: str, made: bool
    ) -> None:
        assert (site.upload(archive=text).json()["archive"] is not None) is made

    def test_a_webhook_address_is_kept(self, site: Site) -> None:
        job_id = site.upload(webhook_url="https://example.com/hook").json()["job_id"]
        assert site.house.job(job_id).webhook_url == "https://example.com/hook"

    def test_ids_of_the_request_are_stored_with_the_job(self, site: Site) -> None:
        trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
        headers = {"X-Request-ID": "mine-1", "traceparent": trace}
        stored = site.house.job(site.upload(headers=headers).json()["job_id"])
        assert stored.request_id == "mine-1"
        assert stored.traceparent == trace

    def test_a_name_is_data_and_no_path(self, site: Site) -> None:
        answer = site.upload(filename="../../etc/päss\x07wd")
        assert answer.status_code == 202
        assert all("etc" not in key for key in site.left()[0])

    @pytest.mark.parametrize(
        ("fields", "pointer"),
        [
            ({"pipeline": "{"}, "/pipeline"),
            ({"pipeline": "[]"}, "/pipeline"),
            ({"pipeline": "7"}, "/pipeline"),
            ({"pipeline": '[{"id":"a","action":"paint"}]'}, "/pipeline/0/action"),
            (
                {"pipeline": '[{"id":"a","action":"resize","width":0}]'},
                "/pipeline/0/width",
            ),
            (
                {"pipeline": '[{"id":"a","action":"resize","width":9,"w":1}]'},
                "/pipeline/0/w",
            ),
            ({"preset": "nope"}, "/preset"),
            ({"preset": "gallery", "pipeline": json.dumps(PIPELINE)}, "/pipeline"),
            ({"preset": "gallery", "archive": "maybe"}, "/archive"),
            ({"preset": "gallery", "metadata": "[1]"}, "/metadata"),
            ({"preset": "gallery", "webhook_url": "http://u:p@x/"}, "/webhook_url"),
            ({"preset": "gallery", "sise": "1"}, "/sise"),
            (
                {"preset": "gallery", "metadata": '{"a":"' + "x" * 17_000 + '"}'},
                "/metadata",
            ),
        ],
    )
    def test_a_wrong_field_is_named_and_leaves_nothing(
        self, site: Site, fields: dict[str, Any], pointer: str
    ) -> None:
        answer = site.upload(**fields)
        assert answer.status_code == 422
        assert answer.json()["code"] in {"invalid_request", "invalid_pipeline"}
        assert pointer in pointers(answer.json())
        assert site.left() == ([], [])

    def test_denoise_is_refused_where_it_is_not_offered(self, site: Site) -> None:
        pipeline = '[{"id":"a","action":"denoise"}]'
        body = problem(site.upload(pipeline=pipeline), 422, "invalid_pipeline")
        assert pointers(body) == ["/pipeline/0/action"]
        assert site.left() == ([], [])

    def test_neither_pipeline_nor_preset_is_refused(self, site: Site) -> None:
        answer = site.ask("POST", "/v1/jobs", files={"file": ("a.gif", GIF)})
        assert pointers(problem(answer, 422, "invalid_request")) == ["/pipeline"]
        assert site.left() == ([], [])

    def test_no_file_is_refused(self, site: Site) -> None:
        answer = site.ask("POST", "/v1/jobs", files={"preset": (None, "gallery")})
        assert pointers(problem(answer, 422, "invalid_request")) == ["/file"]

    def test_two_files_are_one_too_many(self, site: Site) -> None:
        files = [("file", ("a.gif", GIF)), ("file", ("b.gif", GIF))]
        answer = site.ask("POST", "/v1/jobs", files=files, data={"preset": "gallery"})
        assert pointers(problem(answer, 422, "invalid_request")) == ["/file"]
        assert site.left() == ([], [])

    def test_a_field_that_stands_twice_is_refused(self, site: Site) -> None:
        files = [("preset", (None, "gallery")), ("preset", (None, "gallery"))]
        answer = site.ask("POST", "/v1/jobs", files=files)
        assert pointers(problem(answer, 422, "invalid_request")) == ["/preset"]

    def test_a_field_that_is_too_long_is_refused(self, site: Site) -> None:
        answer = site.upload(preset="x" * 70_000)
        problem(answer, 413, "body_too_large")
        assert site.left() == ([], [])

    def test_a_step_that_does_not_fit_the_source_is_named(self, site: Site) -> None:
        pipeline = '[{"id":"a","action":"resize","width":9,"quality":7}]'
        body = problem(site.upload(pipeline=pipeline), 422, "invalid_pipeline")
        assert pointers(body) == ["/pipeline/0/quality"]
        assert site.left() == ([], [])

    @pytest.mark.parametrize(
        ("data", "status", "code"),
        [
            (b"", 400, "empty_file"),
            (b"%PDF-1.7 " + bytes(600), 415, "unsupported_format"),
            (b"\xff\xd8\xff", 400, "truncated_image"),
            (tiny_gif(50_000, 50_000), 422, "image_too_large"),
            (tiny_gif(9_900, 9_900), 422, "image_too_large_for_memory"),
        ],
    )
    def test_what_is_no_usable_image_is_refused_and_leaves_nothing(
        self, site: Site, data: bytes, status: int, code: str
    ) -> None:
        problem(site.upload(data), status, code)
        assert site.left() == ([], [])

    def test_too_large_a_file_is_refused(self, site: Site) -> None:
        site.rule(limits=Limits(max_upload_bytes=1000))
        problem(site.upload(GIF + bytes(1000)), 413, "upload_too_large")
        assert site.left() == ([], [])

    def test_the_same_request_is_carried_out_once(self, site: Site) -> None:
        first = site.upload(headers={"Idempotency-Key": "k"})
        site.work()
        again = site.upload(headers={"Idempotency-Key": "k"})
        assert again.headers["idempotent-replayed"] == "true"
        assert again.json()["job_id"] == first.json()["job_id"]
        assert again.json()["status"] == "succeeded"
        problem(
            site.upload(preset="gallery", headers={"Idempotency-Key": "k"}),
            422,
            "idempotency_mismatch",
        )
        assert len(site.left()[1]) == 1


@pytest.mark.parametrize("kind", ["text/plain", "application/octet-stream", ""])
def test_another_content_type_is_refused(site: Site, kind: str) -> None:
    headers = {"Content-Type": kind}
    answer = site.ask("POST", "/v1/jobs", content=b"{}", headers=headers)
    problem(answer, 415, "unsupported_media_type")


def test_a_store_that_is_away_is_503(site: Site) -> None:
    site.house.blobs.away = True
    answer = site.upload()
    problem(answer, 503, "storage_unavailable")
    assert answer.headers["retry-after"]
