"""What the seeds' documents show, works: word for word where they give words."""

from __future__ import annotations

import hashlib
import io
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from tests.acceptance.deployed import Deployed, Served
from tests.acceptance.visiting import ended, fetched, polled, process

from pixtools.testing.images import photo_jpeg

pytestmark = pytest.mark.anywhere


README = r"""
curl -X POST "http://localhost:8000/api/process" \
  -H "Idempotency-Key: demo-001" \
  -F "file=@test_image.png;type=image/png" \
  -F "operations=[\"webp\",\"denoise\",\"metadata\"]" \
  -F "operation_params={\"webp\":{\"quality\":80},\"denoise\":{\"resize\":{\"width\":1280}}}" \
  -F "webhook_url=https://webhook.site/<id>"
"""
"""The request example of the PixTools seed's README."""

HERE = "http://localhost:8000"
RECEIVER = "https://webhook.site"
"""Nobody whom a test may call, and a name that not every machine can look up."""


@pytest.fixture
def desk(tmp_path: Path, photo_vga: Path) -> Path:
    """A folder in which the README's example finds its test_image.png."""
    with Image.open(photo_vga) as photo:
        photo.save(tmp_path / "test_image.png")
    return tmp_path


def sent(example: str, service: Served, desk: Path) -> tuple[int, dict[str, Any]]:
    """Run the README's example against our port: its status and its JSON."""
    port = service.url.rpartition(":")[2]
    text = example.strip().replace(HERE, f"http://localhost:{port}")
    text = text.replace(RECEIVER, f"http://127.0.0.1:{port}")
    assert text != example.strip()
    if not shutil.which("curl"):
        return by_hand(text, service, desk)
    done = subprocess.run(
        ["bash", "-c", f"{text} --silent --show-error --write-out '\n%{{http_code}}'"],
        cwd=desk,
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
    )
    body, _, status = done.stdout.rpartition("\n")
    return int(status), json.loads(body)


def by_hand(text: str, service: Served, desk: Path) -> tuple[int, dict[str, Any]]:
    """The same request where there is no curl."""
    fields: dict[str, str] = {}
    for line in text.splitlines():
        if '-F "' in line and "file=@" not in line:
            field = line.split('-F "')[1].rstrip(" \\").removesuffix('"')
            name, _, value = field.replace('\\"', '"').partition("=")
            fields[name] = value
    answer = service.http.post(
        "/api/process",
        headers={"Idempotency-Key": "demo-001"},
        files={
            "file": (
                "test_image.png",
                (desk / "test_image.png").read_bytes(),
                "image/png",
            )
        },
        data=fields,
    )
    return answer.status_code, answer.json()


class TestThePixToolsReadme:
    def test_its_curl_completes(self, service: Served, desk: Path) -> None:
        status, accepted = sent(README, service, desk)
        assert status == 202
        assert accepted == {"job_id": accepted["job_id"], "status": "PENDING"}
        job = polled(service, accepted["job_id"])
        assert set(job) == {
            "job_id",
            "status",
            "operations",
            "result_urls",
            "archive_url",
            "metadata",
            "error_message",
            "created_at",
            "expires_at",
        }
        assert job["status"] == "COMPLETED"
        assert job["operations"] == ["webp", "denoise", "metadata"]
        assert job["error_message"] is None
        assert set(job["result_urls"]) == {"webp", "denoise"}
        self.check_files(service, job)
        assert job["metadata"]["width"] == 640

    def check_files(self, service: Served, job: dict[str, Any]) -> None:
        webp = fetched(service, job["result_urls"]["webp"])
        assert webp.headers["content-type"] == "image/webp"
        name = "pixtools_webp_test_image.webp"
        assert f'filename="{name}"' in webp.headers["content-disposition"]
        with Image.open(io.BytesIO(webp.content)) as picture:
            assert (picture.format, picture.size) == ("WEBP", (640, 480))
        denoised = fetched(service, job["result_urls"]["denoise"]).content
        with Image.open(io.BytesIO(denoised)) as picture:
            assert (picture.format, picture.size) == ("PNG", (640, 480))
        bundle = fetched(service, job["archive_url"])
        name = "pixtools_bundle_test_image.zip"
        assert f'filename="{name}"' in bundle.headers["content-disposition"]

    def test_its_key_gives_the_same_job_again(
        self, service: Served, desk: Path
    ) -> None:
        example = README.replace("demo-001", "demo-002")
        first = sent(example, service, desk)[1]
        assert sent(example, service, desk) == (202, first)

    def test_both_sides_of_a_resize_are_met_exactly(
        self, service: Served, photo_vga: Path
    ) -> None:
        params = json.dumps({"png": {"resize": {"width": "300", "height": 300}}})
        accepted = process(service, photo_vga, ["png"], operation_params=params).json()
        job = polled(service, accepted["job_id"])
        content = fetched(service, job["result_urls"]["png"]).content
        with Image.open(io.BytesIO(content)) as picture:
            assert picture.size == (300, 300)

    def test_health_names_what_it_stands_on(self, service: Served) -> None:
        answer = service.http.get("/api/health")
        assert answer.status_code == 200
        names = {"database", "storage", "workers"}
        if isinstance(service, Deployed):
            names = {"database", "redis", "rabbitmq", "s3"}
        assert answer.json() == {
            "status": "healthy",
            "dependencies": dict.fromkeys(names, "ok"),
        }
        assert service.http.get("/api/livez").json() == {"status": "alive"}
        assert service.http.get("/healthz").json() == {"status": "ok"}


PIPELINE = [
    {
        "id": "thumb",
        "action": "resize",
        "width": 320,
        "format": "webp",
        "quality": 82,
    },
    {
        "id": "marked",
        "action": "watermark",
        "format": "jpeg",
        "watermark": {"text": "© PixelFlow", "opacity": 0.5, "gravity": "center"},
    },
]


class TestPixelFlow:
    """Its contract: announce, PUT, start; local files; names and statuses."""

    def announced(self, service: Served, **more: Any) -> dict[str, Any]:
        order = {"source_type": "s3_presigned", "pipeline": PIPELINE, **more}
        answer = service.http.post("/v1/jobs", json=order)
        assert answer.status_code == 201, answer.text
        announced: dict[str, Any] = answer.json()
        return announced

    def test_announce_put_and_start_succeeds(
        self, service: Served, photo_vga: Path
    ) -> None:
        data = photo_vga.read_bytes()
        job = self.announced(
            service,
            filename="holiday.jpg",
            content_type="image/jpeg",
            bytes=len(data),
            sha256=hashlib.sha256(data).hexdigest(),
        )
        assert job["status"] == "created"
        assert job["upload"]["presigned_url_state"] == "ready"
        assert job["upload"]["object_key"] == f"raw/{job['job_id']}/source"
        assert job["start_url"] == f"/v1/jobs/{job['job_id']}/start"
        put = service.http.request(
            job["upload"]["method"],
            job["upload"]["presigned_put_url"],
            headers=job["upload"]["headers"],
            content=data,
        )
        assert put.status_code == 200, put.text
        started = service.http.post(job["start_url"])
        assert started.status_code == 202
        assert started.json()["status"] == "queued"
        again = service.http.post(job["start_url"])
        assert (again.status_code, again.json()["job_id"]) == (202, job["job_id"])
        end = ended(service, job["job_id"])
        assert end["status"] == "succeeded", end
        sizes = {
            o["id"]: (o["format"], o["width"], o["height"]) for o in end["outputs"]
        }
        assert sizes == {"thumb": ("webp", 320, 240), "marked": ("jpg", 640, 480)}

    def test_a_start_before_the_upload_says_what_is_missing(
        self, service: Served
    ) -> None:
        job = self.announced(service)
        answer = service.http.post(job["start_url"])
        assert answer.status_code == 409
        assert answer.json()["code"] == "upload_missing"

    def test_the_source_types_case_does_not_matter(self, service: Served) -> None:
        order = {"source_type": "S3_Presigned", "pipeline": PIPELINE}
        assert service.http.post("/v1/jobs", json=order).status_code == 201

    def test_a_local_file_below_the_root_is_read(
        self, service: Served, shelf: Path
    ) -> None:
        (shelf / "album").mkdir(exist_ok=True)
        photo_jpeg(shelf / "album" / "one.jpg", 400, 300)
        order = {
            "source_type": "local_file",
            "object_key": "album/one.jpg",
            "pipeline": PIPELINE,
        }
        answer = service.http.post("/v1/jobs", json=order)
        assert answer.status_code == 202, answer.text
        end = ended(service, answer.json()["job_id"])
        assert end["status"] == "succeeded"
        assert end["source"]["filename"] == "one.jpg"
        assert (shelf / "album" / "one.jpg").exists()
