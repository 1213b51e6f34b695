"""What only a cluster has: several APIs, a bucket that clients talk to, one Redis."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx2
import pytest
from tests.acceptance.deployed import Deployed, Served
from tests.acceptance.refusing import checked
from tests.acceptance.visiting import (
    WEBP,
    at_once,
    check_whole,
    ended,
    endless_work,
    events,
    kept,
    made,
    post,
    process,
    submitted,
)

from pixtools.testing.program import eventually

CAPACITY, PLACES = 12, 5
Announced = dict[str, Any]


@pytest.fixture(scope="module")
def others(deployed: Deployed) -> Iterator[list[httpx2.Client]]:
    """Two more APIs, which let fewer jobs wait and limit how often one may ask."""
    cluster = deployed.cluster
    # On a busy machine Redis may be late; then nobody would be limited, as promised.
    redis = f"{cluster.env['REDIS_URL']}?socket_timeout=30"
    limits = {
        "REDIS_URL": redis,
        "QUEUE_SIZE": str(PLACES),
        "RATE_LIMIT_ENABLED": "true",
        "RATE_LIMIT_CAPACITY": str(CAPACITY),
        "RATE_LIMIT_WINDOW": "3600",
    }
    names = [cluster.add("api", **limits) for _ in range(2)]
    yield [cluster.client(name) for name in names]
    for name in names:
        assert cluster.stop(name) == 0


@pytest.fixture
def occupied(deployed: Deployed, photo_12mp: Path) -> Iterator[list[str]]:
    """All workers are busy for as long as the test lasts."""
    with endless_work(deployed, photo_12mp, 2) as ids:
        yield ids


def announced(service: Served, **facts: Any) -> Announced:
    """A job that waits for its upload."""
    order = {"source_type": "s3_presigned", "pipeline": WEBP, **facts}
    answer = service.http.post("/v1/jobs", json=order)
    assert answer.status_code == 201, answer.text
    found: Announced = answer.json()
    return found


def put(service: Served, told: Announced, content: bytes) -> httpx2.Response:
    """PUT a photo straight into the bucket."""
    upload = told["upload"]
    assert upload["presigned_put_url"].startswith(service.homes)
    return service.http.put(
        upload["presigned_put_url"], headers=upload["headers"], content=content
    )


class TestABucketThatClientsTalkTo:
    def test_other_bytes_than_announced_never_become_a_job(
        self, deployed: Deployed, photo_vga: Path
    ) -> None:
        """Whether the store itself refuses them, or the start does."""
        photo = photo_vga.read_bytes()
        told = announced(
            deployed, bytes=len(photo), sha256=hashlib.sha256(photo).hexdigest()
        )
        if put(deployed, told, photo[:-1] + b"\0").status_code == 200:
            checked(deployed.http.post(told["start_url"]), 409, "upload_mismatch")
        checked(deployed.http.post(told["start_url"]), 409, "upload_missing")
        assert put(deployed, told, photo).status_code == 200
        assert deployed.http.post(told["start_url"]).status_code == 202
        check_whole(deployed, ended(deployed, told["job_id"]))

    def test_what_is_no_image_is_refused_at_the_start_and_deleted(
        self, deployed: Deployed
    ) -> None:
        told = announced(deployed)
        assert put(deployed, told, b"just words " * 20).status_code == 200
        checked(deployed.http.post(told["start_url"]), 415, "unsupported_format")
        assert not any(told["job_id"] in name for name in deployed.files())

    def test_a_photo_swapped_after_the_start_is_not_read(
        self,
        deployed: Deployed,
        occupied: list[str],
        photo_vga: Path,
        sources: dict[str, Path],
    ) -> None:
        """Whoever still holds the link can't slip in what was never looked at."""
        told = announced(deployed)
        put(deployed, told, photo_vga.read_bytes())
        assert deployed.http.post(told["start_url"]).status_code == 202
        swapped = put(deployed, told, sources["png-rgb"].read_bytes())
        for job_id in occupied:
            deployed.http.post(f"/v1/jobs/{job_id}/cancel")
        document = ended(deployed, told["job_id"])
        if swapped.status_code == 200:
            assert document["error"]["code"] == "upload_mismatch"
        else:
            check_whole(deployed, document)


class TestSeveralApis:
    def test_what_one_took_another_tells(
        self, deployed: Deployed, others: list[httpx2.Client], photo_12mp: Path
    ) -> None:
        """A long poll and an event stream hear of the end that a worker has made."""
        job_id = submitted(deployed, photo_12mp)
        path = f"/v1/jobs/{job_id}"
        document = others[0].get(path, params={"wait": 30}).json()
        assert document["status"] == "succeeded"
        with others[1].stream("GET", f"{path}/events") as told:
            assert "event: done" in "\n".join(told.iter_lines())
        missed = events(deployed, path, after=1)
        assert missed[-1].kind == "done"

    def test_racers_at_all_of_them_with_one_key_make_one_job(
        self, deployed: Deployed, others: list[httpx2.Client]
    ) -> None:
        before = deployed.rows()["jobs"]
        body = json.dumps({"source_type": "s3_presigned", "pipeline": WEBP})
        headers = {
            "Idempotency-Key": str(uuid4()),
            "Content-Type": "application/json",
        }
        clients = [deployed.http, *others] * 3
        send = [
            partial(http.post, "/v1/jobs", content=body, headers=headers)
            for http in clients
        ]
        answers = at_once(*send)
        assert {answer.status_code for answer in answers} <= {201, 409}
        told = {a.json()["job_id"] for a in answers if a.status_code == 201}
        assert len(told) == 1
        assert deployed.rows()["jobs"] == before + 1

    def test_they_share_how_often_one_client_may_ask(
        self, others: list[httpx2.Client]
    ) -> None:
        left = []
        for number in range(CAPACITY):
            answer = others[number % 2].post("/v1/batches", json={})
            assert answer.status_code == 201, answer.text
            left.append(answer.headers["ratelimit"].partition(";r=")[2].split(";")[0])
        assert left == [str(number) for number in reversed(range(CAPACITY))]
        for client in others:
            answer = client.post("/v1/batches", json={})
            checked(answer, 429, "rate_limited")
            assert 1 <= int(answer.headers["retry-after"]) <= 3600 / CAPACITY


def test_a_full_queue_says_when_to_come_back(
    deployed: Deployed,
    others: list[httpx2.Client],
    occupied: list[str],
    photo_vga: Path,
) -> None:
    waiting = [submitted(deployed, photo_vga) for _ in range(PLACES - len(occupied))]
    before = kept(deployed)
    narrow = Narrow(deployed, others[0])
    for answer in (
        post(narrow, photo_vga),
        process(narrow, photo_vga),
        narrow.http.post("/v1/jobs", json={"source_type": "s3_presigned"}),
    ):
        checked(answer, 503, "queue_full")
        assert 1 <= int(answer.headers["retry-after"]) <= 60
    assert kept(deployed) == before
    for job_id in occupied:
        deployed.http.post(f"/v1/jobs/{job_id}/cancel")
    for job_id in waiting:
        check_whole(deployed, ended(deployed, job_id))
    assert post(narrow, photo_vga).status_code == 202


def test_an_expired_job_is_gone_for_clients_and_soon_after_with_its_files(
    deployed: Deployed, photo_vga: Path
) -> None:
    """Its hour has come at once; schedulers prune when they start, too."""
    document = made(deployed, photo_vga)
    job_id = document["job_id"]
    deployed.say("UPDATE jobs SET expires_at = now() WHERE id = :job", job=job_id)
    for method, path in (
        ("GET", f"/v1/jobs/{job_id}"),
        ("GET", f"/v1/jobs/{job_id}/events"),
        ("POST", f"/v1/jobs/{job_id}/retry"),
        ("DELETE", f"/v1/jobs/{job_id}"),
        ("GET", f"/api/jobs/{job_id}"),
    ):
        checked(deployed.http.request(method, path), 410, "job_expired")
    deployed.cluster.restart("scheduler-1")
    eventually(lambda: deployed.rows_of(job_id) == ["burials"], 60)
    assert not any(job_id in name for name in deployed.files())
    checked(deployed.http.get(f"/v1/jobs/{job_id}"), 410, "job_expired")
    assert deployed.http.get(document["outputs"][0]["url"]).status_code == 404


class Narrow(Deployed):
    """The same cluster, through another of its doors."""

    def __init__(self, deployed: Deployed, http: httpx2.Client) -> None:
        super().__init__(deployed.cluster, deployed.database, deployed.bucket)
        self._door = http

    @property
    def http(self) -> httpx2.Client:
        return self._door
