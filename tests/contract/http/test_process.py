"""POST /api/process and GET /api/jobs/{id}: the PixTools face."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from tests.contract.http.site import GIF, Site, pointers, problem

from pixtools.domain.limits import Limits
from pixtools.testing.house import ABLE, tiny_gif

PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\xa0\0\0\0p\x08\x02\0\0\0" + bytes(100)


def job(site: Site, job_id: str) -> dict[str, Any]:
    answer = site.ask("GET", f"/api/jobs/{job_id}")
    assert answer.status_code == 200
    found: dict[str, Any] = answer.json()
    return found


def test_a_photo_is_taken_in_and_ends_completed_with_links(site: Site) -> None:
    answer = site.process(["webp", "metadata"])
    assert answer.status_code == 202
    assert answer.json() == {"job_id": answer.json()["job_id"], "status": "PENDING"}
    job_id = answer.json()["job_id"]
    assert answer.headers["location"] == f"/api/jobs/{job_id}"
    assert job(site, job_id)["status"] == "PENDING"
    site.work()
    done = job(site, job_id)
    assert done["status"] == "COMPLETED"
    assert done["operations"] == ["webp", "metadata"]
    assert list(done["result_urls"]) == ["webp"]
    assert done["metadata"] == {"width": 160, "height": 112}
    assert done["archive_url"]
    assert done["error_message"] is None
    assert done["created_at"].startswith("2026-01-02T03:04:05")
    assert done["expires_at"] > done["created_at"]


def test_the_readme_request_works_word_for_word(site: Site) -> None:
    site.rule(capabilities=ABLE)
    answer = site.client.post(
        "/api/process",
        headers={"Idempotency-Key": "demo-001"},
        files={"file": ("test_image.png", PNG, "image/png")},
        data={
            "operations": '["webp","denoise","metadata"]',
            "operation_params": '{"webp":{"quality":80},"denoise":{"resize":{"width":1280}}}',
            "webhook_url": "https://webhook.site/<id>",
        },
    )
    assert answer.status_code == 202, answer.text
    stored = site.house.job(answer.json()["job_id"])
    assert stored.webhook_url == "https://webhook.site/<id>"
    assert [step["action"] for step in stored.pipeline] == [
        "convert",
        "denoise",
        "metadata",
    ]


def test_denoise_is_refused_clearly_where_it_is_not_offered(site: Site) -> None:
    body = problem(site.process(["webp", "denoise"]), 422, "invalid_pipeline")
    assert "does not offer denoise" in body["detail"]
    assert pointers(body) == ["/operations/1"]
    assert site.left() == ([], [])


def test_fields_may_come_before_or_after_the_file(site: Site) -> None:
    head = "multipart/form-data; boundary=edge"
    file = (
        b'--edge\r\nContent-Disposition: form-data; name="file"; filename="a.gif"'
        b"\r\n\r\n" + GIF + b"\r\n"
    )
    wish = b'--edge\r\nContent-Disposition: form-data; name="operations"\r\n\r\n["png"]\r\n'
    for form in (file + wish, wish + file):
        answer = site.ask(
            "POST",
            "/api/process",
            content=form + b"--edge--\r\n",
            headers={"Content-Type": head},
        )
        assert answer.status_code == 202, answer.text


def test_both_sides_stretch_as_clients_of_this_face_expect(site: Site) -> None:
    params = json.dumps({"webp": {"resize": {"width": 300, "height": "50"}}})
    site.process(["webp"], operation_params=params)
    site.work()
    (plan,) = site.house.renderer.plans
    box = plan.outputs[0].box
    assert box is not None
    assert (box.width, box.height, box.fit, box.enlarge) == (300, 50, "fill", True)


def test_a_job_shows_only_outputs_that_are_ready(site: Site) -> None:
    job_id = site.process(["webp", "png"]).json()["job_id"]
    assert job(site, job_id)["result_urls"] == {}
    assert job(site, job_id)["archive_url"] is None


def test_some_failed_outputs_are_completed_with_a_message(site: Site) -> None:
    site.house.renderer.bad = {"png": "encode_failed"}
    job_id = site.process(["webp", "png"]).json()["job_id"]
    site.work()
    done = job(site, job_id)
    assert done["status"] == "COMPLETED"
    assert list(done["result_urls"]) == ["webp"]
    assert done["error_message"] == "png: No."


def test_a_failed_job_says_why(site: Site) -> None:
    site.house.renderer.bad = {"webp": "encode_failed"}
    job_id = site.process(["webp"]).json()["job_id"]
    site.work()
    done = job(site, job_id)
    assert done["status"] == "FAILED"
    assert done["error_message"]


def test_a_canceled_job_is_failed(site: Site) -> None:
    job_id = site.process(["webp"]).json()["job_id"]
    site.ask("POST", f"/v1/jobs/{job_id}/cancel")
    assert job(site, job_id)["status"] == "FAILED"
    assert job(site, job_id)["error_message"] == "The job was canceled."


def test_a_preset_is_an_operation(site: Site) -> None:
    job_id = site.process(["gallery", "png"]).json()["job_id"]
    site.work()
    names = ["large", "medium", "small", "thumbnail", "png"]
    assert job(site, job_id)["operations"] == names
    assert list(job(site, job_id)["result_urls"]) == names


def test_a_format_is_not_converted_into_itself(site: Site) -> None:
    body = problem(site.process(["png"], PNG), 422, "invalid_request")
    assert body["detail"] == (
        "Cannot convert png to png - source and target formats are the same"
    )
    assert site.left() == ([], [])


@pytest.mark.parametrize(
    ("fields", "detail"),
    [
        ({"webhook_url": "ftp://x"}, "webhook_url must be a valid http(s) URL"),
        ({"operation_params": "[]"}, "operation_params must be a JSON object"),
        (
            {"operation_params": '{"webp":{"quality":0}}'},
            "operation_params['webp'].quality must be 1..100",
        ),
    ],
)
def test_a_wrong_field_is_refused_in_the_known_words_and_leaves_nothing(
    site: Site, fields: dict[str, Any], detail: str
) -> None:
    body = problem(site.process(["webp"], **fields), 422, "invalid_request")
    assert body["detail"] == detail
    assert site.left() == ([], [])


def test_a_missing_file_is_named(site: Site) -> None:
    answer = site.ask("POST", "/api/process", files={"operations": (None, '["webp"]')})
    assert pointers(problem(answer, 422, "invalid_request")) == ["/file"]


def test_missing_operations_are_named_and_leave_nothing(site: Site) -> None:
    answer = site.ask("POST", "/api/process", files={"file": ("a.gif", GIF)})
    assert pointers(problem(answer, 422, "invalid_request")) == ["/operations"]
    assert site.left() == ([], [])


def test_a_file_that_is_too_large_is_told_in_the_known_words(site: Site) -> None:
    site.rule(limits=Limits(max_upload_bytes=10 * 1024 * 1024))
    answer = site.process(["webp"], GIF + bytes(10 * 1024 * 1024))
    assert (
        problem(answer, 413, "upload_too_large")["detail"] == "File exceeds 10MB limit"
    )
    assert site.left() == ([], [])


@pytest.mark.parametrize(
    ("data", "status", "code"),
    [
        (b"", 400, "empty_file"),
        (b"hello, this is text\n" * 20, 415, "unsupported_format"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", 415, "unsupported_format"),
        (tiny_gif(50_000, 50_000), 422, "image_too_large"),
    ],
)
def test_what_is_no_usable_image_is_refused_by_its_content(
    site: Site, data: bytes, status: int, code: str
) -> None:
    problem(site.process(["webp"], data), status, code)
    assert site.left() == ([], [])


def test_another_content_type_is_refused(site: Site) -> None:
    answer = site.ask("POST", "/api/process", json={"operations": ["webp"]})
    problem(answer, 415, "unsupported_media_type")


def test_an_id_that_is_none_is_refused(site: Site) -> None:
    problem(site.ask("GET", "/api/jobs/17"), 422, "invalid_request")


def test_an_unknown_job_is_not_found_in_the_known_words(site: Site) -> None:
    job_id = "01890a5d-ac96-774b-bcce-b302099a8057"
    body = problem(site.ask("GET", f"/api/jobs/{job_id}"), 404, "job_not_found")
    assert body["detail"] == f"Job {job_id} not found"


def test_an_expired_job_is_gone(site: Site) -> None:
    job_id = site.process().json()["job_id"]
    site.work()
    site.house.clock.advance(timedelta(hours=25))
    problem(site.ask("GET", f"/api/jobs/{job_id}"), 410, "job_expired")


class TestIdempotency:
    def test_the_same_request_is_carried_out_once(self, site: Site) -> None:
        first = site.process(headers={"Idempotency-Key": "k-1"})
        again = site.process(headers={"Idempotency-Key": '"k-1"'})
        assert again.status_code == 202
        assert again.json() == first.json()
        assert again.headers["idempotent-replayed"] == "true"
        assert "idempotent-replayed" not in first.headers
        assert len(site.left()[1]) == 1
        assert len(site.left()[0]) == 1

    @pytest.mark.parametrize(
        ("operations", "data"), [(["png"], GIF), (["webp"], tiny_gif(9, 9))]
    )
    def test_another_request_under_the_same_key_is_refused(
        self, site: Site, operations: list[str], data: bytes
    ) -> None:
        site.process(headers={"Idempotency-Key": "k-1"})
        answer = site.process(operations, data, headers={"Idempotency-Key": "k-1"})
        problem(answer, 422, "idempotency_mismatch")
        assert len(site.left()[0]) == 1

    def test_a_key_that_is_none_is_refused(self, site: Site) -> None:
        answer = site.process(headers={"Idempotency-Key": "a b"})
        problem(answer, 400, "invalid_idempotency_key")
        assert site.left() == ([], [])
