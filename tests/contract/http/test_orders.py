"""POST /v1/jobs with application/json: a wish for a photo that comes later."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest
from tests.contract.http.site import GIF, PIPELINE, Site, pointers, problem

from pixtools.testing.house import tiny_gif

WISH: dict[str, Any] = {"source_type": "s3_presigned", "pipeline": PIPELINE}


def order(site: Site, body: object, **kwargs: Any) -> Any:
    return site.ask("POST", "/v1/jobs", json=body, **kwargs)


class TestWithAnUploadToCome:
    def test_it_says_where_to_put_the_photo_and_starts_when_told(
        self, site: Site
    ) -> None:
        sha256 = hashlib.sha256(GIF).hexdigest()
        answer = order(
            site,
            {
                **WISH,
                "filename": "cat.gif",
                "content_type": "image/gif",
                "bytes": len(GIF),
                "sha256": sha256.upper(),
            },
        )
        assert answer.status_code == 201
        body = answer.json()
        assert body["status"] == "created"
        upload = body["upload"]
        assert upload["method"] == "PUT"
        assert upload["object_key"] == f"raw/{body['job_id']}/source"
        assert upload["presigned_url_state"] == "ready"
        assert upload["expires_at"]
        assert body["start_url"] == f"/v1/jobs/{body['job_id']}/start"
        assert site.put(upload, GIF) == 200
        for _ in range(2):
            started = site.ask("POST", body["start_url"])
            assert started.status_code == 202
            assert started.json()["status"] == "queued"
            assert started.json()["source"]["sha256"] == sha256
        assert site.work() == 1

    def test_starting_before_the_upload_is_a_conflict(self, site: Site) -> None:
        body = order(site, WISH).json()
        problem(site.ask("POST", body["start_url"]), 409, "upload_missing")

    @pytest.mark.parametrize(
        ("data", "status", "code"),
        [
            (b"some text that is no image at all", 415, "unsupported_format"),
            (tiny_gif(50_000, 50_000), 422, "image_too_large"),
            (b"", 400, "empty_file"),
        ],
    )
    def test_an_upload_is_judged_at_the_start_as_if_it_were_sent_here(
        self, site: Site, data: bytes, status: int, code: str
    ) -> None:
        body = order(site, WISH).json()
        assert site.put(body["upload"], data) == 200
        problem(site.ask("POST", body["start_url"]), status, code)
        assert site.left()[0] == []

    def test_a_replay_says_again_where_to_put_it(self, site: Site) -> None:
        headers = {"Idempotency-Key": "k"}
        first = order(site, WISH, headers=headers)
        again = order(site, WISH, headers=headers)
        assert again.status_code == 201
        assert again.headers["idempotent-replayed"] == "true"
        assert again.json()["job_id"] == first.json()["job_id"]
        assert again.json()["upload"]["presigned_put_url"]

    def test_too_large_an_announcement_is_refused(self, site: Site) -> None:
        problem(order(site, {**WISH, "bytes": 10**12}), 413, "upload_too_large")
        assert site.left() == ([], [])

    def test_starting_an_unknown_job_is_not_found(self, site: Site) -> None:
        problem(site.ask("POST", "/v1/jobs/x/start"), 404, "job_not_found")


class TestWithAPhotoThatIsHereAlready:
    def test_an_object_below_the_inbox_is_taken(self, site: Site) -> None:
        writer = site.house.blobs.writer("inbox/default/cat.gif")
        writer.write(GIF)
        writer.commit()
        body = {**WISH, "source_type": "object", "object_key": "inbox/default/cat.gif"}
        answer = order(site, body)
        assert answer.status_code == 202
        assert answer.json()["source"]["filename"] == "cat.gif"

    def test_an_object_elsewhere_is_refused(self, site: Site) -> None:
        body = {**WISH, "source_type": "object", "object_key": "raw/x/source"}
        problem(order(site, body), 422, "invalid_request")

    def test_an_object_that_is_not_there_is_a_conflict(self, site: Site) -> None:
        body = {**WISH, "source_type": "object", "object_key": "inbox/default/none"}
        problem(order(site, body), 409, "source_missing")

    def test_a_file_below_the_root_is_taken(self, site: Site, tmp_path: Path) -> None:
        (tmp_path / "cat.gif").write_bytes(GIF)
        site.rule(local_root=tmp_path)
        body = {**WISH, "source_type": "Local_File", "object_key": "cat.gif"}
        assert order(site, body).status_code == 202

    def test_a_file_is_refused_where_no_root_is_set(self, site: Site) -> None:
        body = {**WISH, "source_type": "local_file", "object_key": "/etc/passwd"}
        problem(order(site, body), 422, "invalid_request")


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/source_type"),
        ([], "/"),
        ("x", "/"),
        ({"source_type": "ftp", "preset": "gallery"}, "/source_type"),
        ({"source_type": "s3_presigned"}, "/pipeline"),
        ({**WISH, "preset": "gallery"}, "/pipeline"),
        ({**WISH, "colour": 1}, "/colour"),
        ({**WISH, "bytes": "12"}, "/bytes"),
        ({**WISH, "bytes": 0}, "/bytes"),
        ({**WISH, "sha256": "abc"}, "/sha256"),
        ({**WISH, "archive": "yes"}, "/archive"),
        ({**WISH, "metadata": []}, "/metadata"),
        ({**WISH, "object_key": "x"}, "/object_key"),
        ({**WISH, "source_type": "object"}, "/object_key"),
        ({**WISH, "webhook_url": "x"}, "/webhook_url"),
        ({**WISH, "webhook_url": "http://x/" + "y" * 3000}, "/webhook_url"),
        ({**WISH, "pipeline": {}}, "/pipeline"),
        ({**WISH, "pipeline": [1]}, "/pipeline/0"),
        ({**WISH, "pipeline": [*PIPELINE, *PIPELINE]}, "/pipeline/1/id"),
        ({**WISH, "pipeline": PIPELINE * 40}, "/pipeline"),
    ],
)
def test_a_wrong_body_names_the_field_and_leaves_nothing(
    site: Site, body: object, pointer: str
) -> None:
    answer = order(site, body)
    assert answer.status_code == 422, answer.text
    assert pointer in pointers(answer.json())
    assert site.left() == ([], [])


@pytest.mark.parametrize(
    "raw",
    [b"", b"{", b'{"a":1,"a":2}', b"[NaN]", b"\xff", b"[" * 5000, b'["\\ud800"]'],
)
def test_a_body_that_is_no_clean_json_is_malformed(site: Site, raw: bytes) -> None:
    headers = {"Content-Type": "application/json; charset=utf-8"}
    answer = site.ask("POST", "/v1/jobs", content=raw, headers=headers)
    problem(answer, 400, "malformed_request")


def test_a_body_over_a_mebibyte_is_refused(site: Site) -> None:
    body = {**WISH, "metadata": {"a": "x" * 1024 * 1024}}
    problem(order(site, body), 413, "body_too_large")
