"""What jobs have cost, as clients read it."""

from __future__ import annotations

import pytest
from tests.contract.http.site import Site, pointers, problem

TODAY = "2026-01-02"  # as the house's clock has it
NUMBERS = {"jobs", "outputs", "pixels_processed", "bytes_saved", "compute_time_ms"}


def test_a_day_says_what_its_jobs_cost(site: Site) -> None:
    job = site.upload().json()["job_id"]
    site.work()
    answer = site.ask("GET", f"/v1/usage?from=2026-01-01&to={TODAY}")
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    body = answer.json()
    assert (body["from"], body["to"]) == ("2026-01-01", TODAY)
    empty, today = body["data"]
    assert empty == {"day": "2026-01-01"} | dict.fromkeys(NUMBERS, 0)
    usage = site.ask("GET", f"/v1/jobs/{job}").json()["usage"]
    assert usage["pixels_processed"] > 0
    assert today == {"day": TODAY, "jobs": 1, "outputs": 1} | usage
    assert body["total"] == {name: today[name] for name in NUMBERS}


def test_without_a_range_it_is_the_last_month(site: Site) -> None:
    body = site.ask("GET", "/v1/usage").json()
    assert (body["from"], body["to"], len(body["data"])) == ("2025-12-04", TODAY, 30)


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ("from=yesterday", "/from"),
        ("to=2026-13-01", "/to"),
        ("to=", "/to"),
        ("from=1700000000", "/from"),
        ("from=2026-01-02T00:00:00Z", "/from"),
        ("from=٢٠٢٦-٠١-٠٢", "/from"),
        (f"from=2026-01-03&to={TODAY}", "/from"),
        (f"from=2025-01-01&to={TODAY}", "/from"),
    ],
)
def test_a_range_without_sense_is_explained(
    site: Site, query: str, pointer: str
) -> None:
    body = problem(site.ask("GET", f"/v1/usage?{query}"), 422, "invalid_request")
    assert pointers(body) == [pointer]
    assert body["detail"].startswith("Expected ")


def test_asking_how_much_was_used_takes_nothing_from_a_quota(site: Site) -> None:
    assert "ratelimit" not in site.ask("GET", "/v1/usage").headers
