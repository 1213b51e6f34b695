"""How often one client may ask for a change."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from starlette.testclient import TestClient
from tests.contract.http.asgi import Exchange
from tests.contract.http.site import GIF, PIPELINE, Site, description, problem
from tests.gates import a_gate, a_key_of

from pixtools.api.config import ApiConfig
from pixtools.limits.bucket import UNCOUNTED, Taken
from pixtools.limits.config import BucketConfig
from pixtools.limits.memory import MemoryBuckets
from pixtools.testing.house import House

NEW = {"source_type": "s3_presigned", "pipeline": PIPELINE}


class Away:
    """A limiter whose server is away."""

    capacity = 60
    window = 60.0

    async def take(self, who: str, route: str) -> Taken:
        return UNCOUNTED

    async def close(self) -> None:
        self.closed = True


@pytest.fixture
def site() -> Site:
    """Its clock stands: no second passes between one request and the next."""
    buckets = BucketConfig(capacity=2, window=7200)
    return Site(limiter=MemoryBuckets(buckets, now=lambda: 0.0))


def announced(site: Site) -> Any:
    return site.ask("POST", "/v1/jobs", json=NEW)


def test_every_change_tells_the_quota_and_what_is_left_of_it(site: Site) -> None:
    for left in (1, 0):
        answer = announced(site)
        assert answer.status_code == 201
        assert answer.headers["ratelimit-policy"] == '"default";q=2;w=7200'
        assert answer.headers["ratelimit"] == f'"default";r={left};t=3600'
        assert "retry-after" in answer.headers  # of a job that is under way


def test_who_asks_too_often_is_told_when_to_come_back(site: Site) -> None:
    announced(site), announced(site)
    answer = announced(site)
    body = problem(answer, 429, "rate_limited")
    assert "2 in 7200 seconds" in body["detail"]
    assert answer.headers["ratelimit"] == '"default";r=0;t=3600'
    assert answer.headers["retry-after"] == "3600"
    assert answer.headers["ratelimit-policy"] == '"default";q=2;w=7200'


def test_a_refusal_on_other_grounds_has_taken_from_the_quota_too(site: Site) -> None:
    assert site.ask("POST", "/v1/jobs", json={}).status_code == 422
    assert announced(site).headers["ratelimit"].startswith('"default";r=0')


def test_reading_is_not_counted(site: Site) -> None:
    job_id = announced(site).json()["job_id"]
    for path in ("/v1/jobs", f"/v1/jobs/{job_id}", "/v1/presets", "/api/livez"):
        for _ in range(4):
            answer = site.ask("GET", path)
            assert answer.status_code == 200
            assert "ratelimit" not in answer.headers


def test_every_route_that_changes_something_is_counted() -> None:
    """Announced in the OpenAPI document, and so: each POST, PUT, PATCH and DELETE."""
    changing = {
        f"{method} {path}": operation["responses"]
        for path, item in description()["paths"].items()
        for method, operation in item.items()
        if method not in {"get", "head"}
    }
    assert len(changing) >= 8
    for name, responses in changing.items():
        assert "rate_limited" in responses["429"]["description"], name
        assert responses["429"]["headers"].keys() == {
            "Retry-After",
            "RateLimit",
            "RateLimit-Policy",
        }


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/v1/jobs"),
        ("POST", "/v1/jobs/{}/start"),
        ("POST", "/v1/jobs/{}/cancel"),
        ("POST", "/v1/jobs/{}/retry"),
        ("DELETE", "/v1/jobs/{}"),
        ("POST", "/v1/batches"),
        ("POST", "/v1/batches/{}/close"),
        ("POST", "/api/process"),
    ],
)
def test_each_route_has_a_quota_of_its_own_whatever_job_is_meant(
    site: Site, method: str, path: str
) -> None:
    codes = []
    for number in range(3):
        one = f"01890000-0000-7000-8000-00000000000{number}"
        codes.append(site.ask(method, path.format(one)).status_code)
    assert 429 not in codes[:2]
    assert codes[2] == 429


def test_each_address_has_a_quota_of_its_own(site: Site) -> None:
    def codes(host: str) -> list[int]:
        client = TestClient(site.app, client=(host, 5000))
        return [client.post("/v1/jobs", json=NEW).status_code for _ in range(3)]

    assert codes("192.0.2.1") == [201, 201, 429]
    assert codes("192.0.2.2") == [201, 201, 429]
    assert codes("2001:db8:0:1::1") == [201, 201, 429]
    assert codes("::ffff:192.0.2.1") == [429] * 3
    # Whoever has one IPv6 address has 2**64 of them.
    assert codes("2001:db8:0:1:ffff::2") == [429] * 3
    assert codes("2001:db8:0:2::1") == [201, 201, 429]


def test_each_tenant_has_a_quota_of_its_own_wherever_it_asks_from() -> None:
    """Also where callers that nobody knows have none."""
    config = ApiConfig(limit_strangers=False)
    limiter, house = MemoryBuckets(BucketConfig(capacity=2, window=7200)), House()
    for _ in range(3):
        answer = announced(Site(config=config, limiter=limiter))
        assert (answer.status_code, "ratelimit" in answer.headers) == (201, False)
    site = Site(config=config, house=house, gate=a_gate(house), limiter=limiter)
    keys = [a_key_of(house, tenant) for tenant in ("ann", "ann", "bob")]

    def code(key: str, host: str) -> int:
        client = TestClient(site.app, client=(host, 5000))
        headers = {"Authorization": f"Bearer {key}"}
        return client.post("/v1/jobs", json=NEW, headers=headers).status_code

    # A tenant's keys share its quota: another key is no way around it.
    assert [code(key, "192.0.2.1") for key in keys] == [201, 201, 201]
    assert [code(key, "192.0.2.2") for key in keys] == [429, 429, 201]


def test_nothing_of_a_refused_upload_is_read(site: Site) -> None:
    here = TestClient(site.app, client=("127.0.0.1", 1))
    for _ in range(2):
        here.post("/v1/jobs", json=NEW)

    async def told() -> None:
        headers = {
            "content-type": "multipart/form-data; boundary=x",
            "content-length": str(len(GIF)),
        }
        # No piece of the body is ever sent.
        async with Exchange(site.app, "POST", "/v1/jobs", headers, None) as exchange:
            assert (await exchange.head()).status == 429

    asyncio.run(told())


def test_without_redis_everything_is_allowed_and_counted() -> None:
    site = Site(limiter=Away())
    for _ in range(3):
        answer = announced(site)
        assert answer.status_code == 201
        assert "ratelimit" not in answer.headers
    shown = site.client.get("/metrics").text
    assert 'pixtools_api_rate_limit_bypasses_total{route="/v1/jobs"} 3.0' in shown


def test_rejections_are_counted_by_route(site: Site) -> None:
    for _ in range(5):
        announced(site)
    shown = site.client.get("/metrics").text
    assert 'pixtools_api_rate_limit_rejections_total{route="/v1/jobs"} 3.0' in shown


def test_without_a_limiter_nothing_is_counted() -> None:
    site = Site()
    for _ in range(70):
        answer = site.client.post("/v1/batches", json={})
        assert answer.status_code == 201
        assert "ratelimit" not in answer.headers


def test_the_limiter_is_closed_with_the_app() -> None:
    limiter = Away()
    with TestClient(Site(limiter=limiter).app):
        assert not hasattr(limiter, "closed")
    assert limiter.closed
