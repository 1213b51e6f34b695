"""A store that is away is a sentence to clients and a later try for jobs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from tests.acceptance.bucket import Shop, opened_shop
from tests.acceptance.refusing import checked
from tests.acceptance.visiting import ended, post, submitted
from tests.stopwatch import Stopwatch

from pixtools.testing.faulty_proxy import (
    Answer,
    CutRequest,
    Fault,
    FaultyProxy,
    Hang,
    Plan,
    Request,
    always,
    well,
)
from pixtools.testing.serving import eventually
from pixtools.testing.spaces import Bucket

SLOW_DOWN = Answer(503, b"<Error><Code>SlowDown</Code></Error>")


@dataclass(frozen=True, slots=True)
class Shaky:
    """A service whose way to its bucket leads through a proxy."""

    shop: Shop
    proxy: FaultyProxy


@pytest.fixture(scope="module")
def shaky(s3: Bucket) -> Iterator[Shaky]:
    """Its patience is short."""
    server = urlsplit(s3.endpoint)
    assert server.hostname
    with (
        FaultyProxy(server.hostname, server.port or 80) as proxy,
        opened_shop(s3, AWS_ENDPOINT_URL=proxy.url, LEASE_SECONDS="8") as shop,
    ):
        yield Shaky(shop, proxy)


@pytest.fixture(autouse=True)
def recovered(shaky: Shaky) -> Iterator[None]:
    """Each test finds a store that works."""
    yield
    shaky.proxy.plan = well


def unfinished(shop: Shop) -> list[Any]:
    found = shop.client.list_multipart_uploads(Bucket=shop.bucket.name)
    uploads: list[Any] = found.get("Uploads", [])
    return uploads


def until_gone(left: list[Fault], *words: str) -> Plan:
    """Hit each request that has all these words, while there are faults left."""
    alike = always(Hang(), *words)

    def plan(request: Request) -> Fault | None:
        return left.pop() if left and alike(request) else None

    return plan


@pytest.mark.parametrize("fault", [SLOW_DOWN, CutRequest(10), Hang()], ids=repr)
def test_an_upload_that_can_not_be_kept_is_refused_in_time(
    shaky: Shaky, photo_vga: Path, fault: Fault
) -> None:
    """With a 503 that says when to come back; neither job nor file is left."""
    shop = shaky.shop
    before = shop.keys(), shop.service.rows()["jobs"]
    shaky.proxy.plan = always(fault, "PUT")
    with Stopwatch() as watch:
        answer = post(shop.service, photo_vga)
    checked(answer, 503, "storage_unavailable")
    assert answer.headers["retry-after"]
    assert watch.seconds < 12
    assert (shop.keys(), shop.service.rows()["jobs"]) == before


def test_while_it_hangs_nobody_is_kept_waiting(shaky: Shaky, photo_vga: Path) -> None:
    """More clients than there are threads, and then it goes on by itself."""
    http = shaky.shop.service.http
    shaky.proxy.plan = always(Hang())
    eventually(lambda: http.get("/api/readyz").status_code == 503, 20)
    with Stopwatch() as watch:
        for _ in range(40):
            checked(post(shaky.shop.service, photo_vga), 503, "storage_unavailable")
    assert watch.seconds < 20
    shaky.proxy.plan = well
    answers = []

    def taken() -> bool:
        answers.append(post(shaky.shop.service, photo_vga))
        return bool(answers[-1].status_code == 202)

    eventually(taken, 20)
    # What follows counts the bucket's objects, and this job would still add some.
    ended(shaky.shop.service, answers[-1].json()["job_id"])


@pytest.mark.parametrize(
    "words", [("GET", "/raw/"), ("PUT", "/processed/"), ("PUT", "/archives/")], ids=repr
)
def test_a_job_outlives_a_store_that_stumbles(
    shaky: Shaky, photo_vga: Path, words: tuple[str, str]
) -> None:
    """For longer than one call has patience: the stage is tried again."""
    shop = shaky.shop
    faults: list[Fault] = [SLOW_DOWN] * 7
    shaky.proxy.plan = until_gone(faults, *words)
    document = ended(shop.service, submitted(shop.service, photo_vga))
    assert (document["status"], faults) == ("succeeded", [])
    for file in (document["outputs"][0], document["archive"]):
        path = file["url"].replace(shaky.proxy.url, shop.bucket.endpoint)
        assert shop.keys(urlsplit(path).path.split("/", 2)[2])
    assert unfinished(shop) == []


def test_a_long_source_that_breaks_off_leaves_no_part(
    shaky: Shaky, photo_vga: Path
) -> None:
    """Neither in the bucket nor on its way there."""
    shop = shaky.shop
    before = shop.keys()
    shaky.proxy.plan = always(SLOW_DOWN, "PUT", "partNumber=2")
    long = photo_vga.read_bytes() + bytes(20 * 1024 * 1024)
    checked(post(shop.service, long), 503, "storage_unavailable")
    assert shop.keys() == before
    assert unfinished(shop) == []


def test_health_tells_and_recovers(shaky: Shaky) -> None:
    """A job can't be taken without a store, so readiness goes too."""
    http = shaky.shop.service.http

    def told() -> tuple[str, int]:
        health = http.get("/api/health").json()["dependencies"]["s3"]
        return health, http.get("/api/readyz").status_code

    shaky.proxy.plan = always(Hang())
    eventually(lambda: told() == ("unreachable", 503), 20, lambda: str(told()))
    shaky.proxy.plan = well
    eventually(lambda: told() == ("ok", 200), 20, lambda: str(told()))
