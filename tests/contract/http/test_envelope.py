"""What is true of every answer: ids, safe headers, problems and no traceback."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import NoReturn

import pytest
from fastapi import APIRouter
from starlette.testclient import TestClient
from tests.contract.http.site import Site, problem

from pixtools.api.app import create_app
from pixtools.api.config import ApiConfig
from pixtools.domain.errors import DatabaseUnavailable
from pixtools.jobs.ports.blobs import SignedUpload
from pixtools.queue.bell import HouseBell
from pixtools.testing.house import House


class FailingDatabase:
    """A database that raises the same whatever is asked of it."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def write(self) -> NoReturn:
        raise self._error

    def read(self) -> NoReturn:
        raise self._error

    def check(self) -> NoReturn:
        raise self._error

    def close(self) -> None:
        """Nothing is open."""


class PathLinks:
    """Links without a host, as a local store signs them."""

    def download(
        self, key: str, filename: str, content_type: str
    ) -> tuple[str, datetime]:
        return f"/files/{key}", datetime(2026, 1, 2, tzinfo=UTC)

    def upload(
        self,
        key: str,
        *,
        content_type: str | None,
        bytes: int | None,
        sha256: str | None,
    ) -> SignedUpload:
        until = datetime(2026, 1, 2, tzinfo=UTC)
        return SignedUpload(url=f"/files/{key}", expires_at=until)


EVERYWHERE = ["/v1/jobs", "/v1/limits", "/api/livez", "/docs", "/nothing/here", "/"]


@pytest.mark.parametrize("path", EVERYWHERE)
def test_every_answer_has_an_id_and_is_never_sniffed(site: Site, path: str) -> None:
    answer = site.client.get(path)
    assert answer.headers["x-request-id"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "default-src" in answer.headers["content-security-policy"]
    assert "access-control-allow-origin" not in answer.headers


def test_a_good_request_id_is_echoed(site: Site) -> None:
    headers = {"X-Request-ID": "abc-123_4.5:6"}
    answer = site.client.get("/v1/limits", headers=headers)
    assert answer.headers["x-request-id"] == "abc-123_4.5:6"


@pytest.mark.parametrize("given", ["", "a b", "x" * 129, "<script>", "a\x7f"])
def test_another_request_id_is_replaced(site: Site, given: str) -> None:
    answer = site.client.get("/v1/limits", headers={"X-Request-ID": given})
    assert answer.headers["x-request-id"] not in {given, ""}


@pytest.mark.parametrize(
    "given",
    ["", "x", "00-" + "0" * 32 + "-b7ad6b7169203331-01", "00-abc-def-01"],
)
def test_a_malformed_trace_is_not_stored(site: Site, given: str) -> None:
    job_id = site.upload(headers={"traceparent": given}).json()["job_id"]
    assert site.house.job(job_id).traceparent is None


def test_an_unknown_address_is_a_problem(site: Site) -> None:
    problem(site.client.get("/v1/nothing"), 404, "not_found")


@pytest.mark.parametrize("path", ["/v1/jobs/", "//", "/v1//jobs", "/api"])
def test_no_address_redirects(site: Site, path: str) -> None:
    assert site.client.get(path).status_code == 404


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "BREW"])
def test_a_wrong_method_is_a_problem_that_names_the_right_ones(
    site: Site, method: str
) -> None:
    answer = site.client.request(method, "/v1/limits")
    problem(answer, 405, "method_not_allowed")
    assert answer.headers["allow"] == "GET"


def test_an_address_names_all_its_methods(site: Site) -> None:
    for path, methods in (
        ("/v1/jobs", "GET, POST"),
        ("/v1/jobs/x", "GET, DELETE"),
        ("/v1/jobs/x/start", "POST"),
    ):
        answer = site.client.request("PATCH", path)
        problem(answer, 405, "method_not_allowed")
        assert answer.headers["allow"] == methods


def test_a_bug_of_ours_is_a_problem_without_a_traceback(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    site.lean_on(database=FailingDatabase(RuntimeError("secret-detail")))
    answer = site.client.get("/v1/jobs")
    body = problem(answer, 500, "internal_error")
    assert "secret" not in answer.text
    assert "Traceback" not in answer.text
    assert answer.headers["x-content-type-options"] == "nosniff"
    (record,) = [each for each in caplog.records if each.exc_info]
    assert record.__dict__["request_id"] == body["request_id"]


def test_a_database_that_is_away_is_503(site: Site) -> None:
    site.lean_on(database=FailingDatabase(DatabaseUnavailable()))
    answer = site.ask("GET", "/v1/jobs")
    problem(answer, 503, "database_unavailable")
    assert answer.headers["retry-after"]


class TestLinks:
    @pytest.mark.parametrize(
        ("host", "base"),
        [
            ("photos.example:8080", "http://photos.example:8080"),
            ("[::1]:8000", "http://[::1]:8000"),
            ("bad host<>", "http://testserver"),
            ("[", "http://testserver"),
        ],
    )
    def test_links_lead_to_where_the_client_asked(
        self, site: Site, host: str, base: str
    ) -> None:
        site.lean_on(links=PathLinks())
        job_id = site.process().json()["job_id"]
        site.work()
        job = site.ask("GET", f"/api/jobs/{job_id}", headers={"Host": host}).json()
        key = f"processed/{job_id}/webp.webp"
        assert job["result_urls"] == {"webp": f"{base}/files/{key}"}

    def test_uploads_go_to_where_the_client_asked(self, site: Site) -> None:
        site.lean_on(links=PathLinks())
        body = {"source_type": "s3_presigned", "preset": "gallery"}
        announced = site.ask("POST", "/v1/jobs", json=body).json()
        url = f"http://testserver/files/raw/{announced['job_id']}/source"
        assert announced["upload"]["presigned_put_url"] == url

    def test_a_public_base_wins(self) -> None:
        site = Site(config=ApiConfig(public_base_url="https://img.example/pix/"))
        site.lean_on(links=PathLinks())
        job_id = site.process().json()["job_id"]
        site.work()
        url = site.ask("GET", f"/v1/jobs/{job_id}").json()["outputs"][0]["url"]
        assert url.startswith("https://img.example/pix/files/processed/")


class TestMetrics:
    def test_latency_is_told_by_method_route_and_status(self, site: Site) -> None:
        site.client.get("/v1/jobs/x")
        site.client.get("/v1/limits")
        site.client.get("/no/such/thing")
        site.client.request("FROBNICATE", "/v1/limits")
        text = site.client.get("/metrics").text
        name = "pixtools_api_request_latency_seconds_count"
        for labels in (
            'method="GET",route="/v1/jobs/{job_id}",status="404"',
            'method="GET",route="/v1/limits",status="200"',
            'method="GET",route="unmatched",status="404"',
            'method="other",route="/v1/limits",status="405"',
        ):
            assert f"{name}{{{labels}}} 1.0" in text

    def test_uploaded_bytes_are_counted(self, site: Site) -> None:
        site.upload()
        text = site.client.get("/metrics").text
        (line,) = [
            each
            for each in text.splitlines()
            if each.startswith("pixtools_upload_bytes_total ")
        ]
        assert float(line.split()[1]) > 0

    def test_they_can_be_switched_off(self) -> None:
        site = Site(config=ApiConfig(metrics=False))
        assert site.client.get("/metrics").status_code == 404


def test_other_doors_are_part_of_the_house() -> None:
    door = APIRouter()

    @door.get("/knock")
    def knock() -> str:
        return "come in"

    house = House()
    app = create_app(
        ApiConfig(docs=False), house.service, desk=HouseBell(), probes={}, doors=[door]
    )
    client = TestClient(app)
    assert client.get("/knock").json() == "come in"
    assert client.get("/docs").status_code == 404
    assert client.get("/openapi.json").status_code == 404
