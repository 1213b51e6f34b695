"""Answers to more work than can wait, and to work while something is away."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx2
import pytest
from tests.contract.http.asgi import Exchange
from tests.contract.http.site import GIF, PIPELINE, Site, problem

from pixtools.domain.errors import DatabaseUnavailable
from pixtools.jobs.ports.facts import Database, Transaction

FORM = {"content-type": "multipart/form-data; boundary=x", "content-length": "9999"}
JSON = {"content-type": "application/json", "content-length": "9999"}
SUBMISSIONS = [
    ("/api/process", FORM),
    ("/v1/jobs", FORM),
    ("/v1/jobs", JSON),
    ("/v1/batches", FORM),
    ("/v1/batches", JSON),
]


def unread(site: Site, path: str, headers: dict[str, str]) -> int:
    """The answer's status though no piece of the body was ever sent."""

    async def told() -> int:
        async with Exchange(site.app, "POST", path, headers, None) as exchange:
            return (await exchange.head()).status

    return asyncio.run(told())


@pytest.mark.parametrize(("path", "headers"), SUBMISSIONS)
def test_a_full_queue_refuses_before_anything_is_read(
    site: Site, path: str, headers: dict[str, str]
) -> None:
    site.rule(queue_size=1)
    site.upload()
    assert unread(site, path, headers) == 503


@pytest.mark.parametrize(("path", "headers"), SUBMISSIONS)
def test_a_tenants_share_is_refused_before_anything_is_read(
    site: Site, path: str, headers: dict[str, str]
) -> None:
    site.rule(queue_size=10, tenant_share=0.1)
    site.upload()
    assert unread(site, path, headers) == 429


def announced(site: Site) -> str:
    order = {"source_type": "s3_presigned", "pipeline": PIPELINE}
    body = site.ask("POST", "/v1/jobs", json=order).json()
    site.put(body["upload"], GIF)
    return f"/v1/jobs/{body['job_id']}/start"


def failed(site: Site) -> str:
    site.house.renderer.bad = {"small": "encode_failed"}
    job_id = site.upload().json()["job_id"]
    site.work()
    return f"/v1/jobs/{job_id}/retry"


@pytest.mark.parametrize("path", [announced, failed])
def test_what_would_queue_an_older_job_is_refused_likewise(
    site: Site, path: Callable[[Site], str]
) -> None:
    where = path(site)
    site.rule(queue_size=1)
    site.upload()
    answer = site.ask("POST", where)
    problem(answer, 503, "queue_full")
    assert answer.headers["retry-after"]
    site.rule(queue_size=10, tenant_share=0.1)
    problem(site.ask("POST", where), 429, "tenant_share_exceeded")


@pytest.mark.parametrize("share", [1.0, 0.2])
def test_a_refusal_says_when_half_of_what_waits_will_be_done(
    site: Site, share: float
) -> None:
    """Nine jobs have ended in the last minute; of nine that wait half is done in 30 s."""
    for _ in range(9):
        site.upload()
    site.work()
    site.rule(queue_size=9 / share, tenant_share=share)
    for _ in range(9):
        site.upload()
    answer = site.upload()
    assert answer.status_code in {429, 503}
    assert answer.headers["retry-after"] == "30"


def test_the_answer_to_a_repeated_request_does_not_wait_for_room(site: Site) -> None:
    site.rule(queue_size=1)
    headers = {"Idempotency-Key": "k"}
    first = site.upload(headers=headers)
    again = site.upload(headers=headers)
    assert again.status_code == 202
    assert again.json()["job_id"] == first.json()["job_id"]
    assert again.headers["idempotent-replayed"] == "true"


def test_neither_does_that_to_a_repeated_batch(site: Site) -> None:
    site.rule(queue_size=1)
    batch = {"jobs": [{"source_type": "s3_presigned", "pipeline": PIPELINE}]}
    headers = {"Idempotency-Key": "k"}
    first = site.ask("POST", "/v1/batches", json=batch, headers=headers)
    site.upload()
    again = site.ask("POST", "/v1/batches", json=batch, headers=headers)
    assert again.json()["batch_id"] == first.json()["batch_id"]


class Fading:
    """A database that goes away after some transactions."""

    def __init__(self, database: Database, lasts: int) -> None:
        self._database = database
        self.lasts = lasts

    @contextmanager
    def read(self) -> Iterator[Transaction]:
        self._spend()
        with self._database.read() as tx:
            yield tx

    @contextmanager
    def write(self) -> Iterator[Transaction]:
        self._spend()
        with self._database.write() as tx:
            yield tx

    def check(self) -> None:
        self._spend()

    def close(self) -> None:
        """The other one is not ours."""

    def _spend(self) -> None:
        self.lasts -= 1
        if self.lasts < 0:
            raise DatabaseUnavailable


def calls(site: Site) -> dict[str, Callable[[], httpx2.Response]]:
    """Every route that leans on the database."""
    job = f"/v1/jobs/{site.upload().json()['job_id']}"
    batch = f"/v1/batches/{site.ask('POST', '/v1/batches', json={}).json()['batch_id']}"
    start, retry = announced(site), failed(site)
    order = {"source_type": "s3_presigned", "pipeline": PIPELINE}
    paths: dict[str, tuple[str, str, Any]] = {
        "announce": ("POST", "/v1/jobs", order),
        "batch": ("POST", "/v1/batches", {"jobs": [order]}),
        "close": ("POST", f"{batch}/close", None),
        "start": ("POST", start, None),
        "retry": ("POST", retry, None),
        "cancel": ("POST", f"{job}/cancel", None),
        "erase": ("DELETE", job, None),
        "list": ("GET", "/v1/jobs", None),
        "read": ("GET", job, None),
        "poll": ("GET", f"{job}?wait=0.01", None),
        "watch": ("GET", f"{job}/events", None),
        "read batch": ("GET", batch, None),
        "watch batch": ("GET", f"{batch}/events", None),
        "classic poll": ("GET", job.replace("/v1", "/api"), None),
    }

    def call(method: str, path: str, json: Any) -> Callable[[], httpx2.Response]:
        return lambda: site.ask(method, path, json=json)

    return {
        "upload": site.upload,
        "process": site.process,
        **{name: call(*path) for name, path in paths.items()},
    }


@pytest.mark.parametrize("lasts", [0, 1, 2])
def test_a_database_that_goes_away_is_503_wherever_it_does(
    site: Site, lasts: int
) -> None:
    """At once or in the midst of a request; each such answer says when to come back."""
    away = 0
    for name, call in calls(site).items():
        steady = site.house.service.database
        site.lean_on(database=Fading(steady, lasts))
        answer = call()
        site.lean_on(database=steady)
        if answer.status_code == 503:
            problem(answer, 503, "database_unavailable")
            assert int(answer.headers["retry-after"]) >= 1, name
            away += 1
        else:
            assert answer.status_code < 400, (name, answer.text)
    assert away >= (16 if not lasts else 4)


@pytest.mark.parametrize("name", ["upload", "process", "start", "retry", "erase"])
def test_a_store_that_is_away_is_503_with_a_time_to_come_back(
    site: Site, name: str
) -> None:
    call = calls(site)[name]
    site.house.blobs.away = True
    answer = call()
    problem(answer, 503, "storage_unavailable")
    assert int(answer.headers["retry-after"]) >= 1
