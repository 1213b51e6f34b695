"""Uploads past the service, into a bucket that enforces what was announced."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from tests.acceptance.bucket import Shop, opened_shop
from tests.acceptance.deployed import hands
from tests.acceptance.refusing import checked
from tests.acceptance.visiting import WEBP, ended, endless_work

from pixtools.testing.serving import eventually
from pixtools.testing.spaces import Bucket

Announced = dict[str, Any]


@pytest.fixture(scope="module")
def shop(s3: Bucket) -> Iterator[Shop]:
    """Upload links outlive any test."""
    with opened_shop(s3) as shop:
        yield shop


@pytest.fixture
def brief(s3: Bucket) -> Iterator[Shop]:
    """Upload links live for some seconds."""
    with opened_shop(s3, UPLOAD_URL_EXPIRY_SECONDS="4") as shop:
        yield shop


@pytest.fixture
def busy(shop: Shop, photo_12mp: Path) -> Iterator[list[str]]:
    """All runners are busy for as long as the test lasts."""
    with endless_work(shop.service, photo_12mp, hands(shop.service)) as ids:
        yield ids


@pytest.fixture
def photo(photo_vga: Path) -> bytes:
    return photo_vga.read_bytes()


def announced(shop: Shop, data: bytes | None = None, **more: Any) -> Announced:
    """A job that waits for exactly these bytes, or for any."""
    order: dict[str, Any] = {"source_type": "s3_presigned", "pipeline": WEBP, **more}
    if data is not None:
        order |= {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
    answer = shop.service.http.post("/v1/jobs", json=order)
    assert answer.status_code == 201, answer.text
    found: Announced = answer.json()
    return found


def put(shop: Shop, job: Announced, data: bytes, **headers: str) -> httpx2.Response:
    told = httpx2.Headers(job["upload"]["headers"])
    told.update(headers)
    url = job["upload"]["presigned_put_url"]
    return shop.web.put(url, headers=told, content=data)


def start(shop: Shop, job: Announced) -> httpx2.Response:
    return shop.service.http.post(job["start_url"])


def test_an_announced_upload_becomes_a_job(shop: Shop, photo: bytes) -> None:
    """The bytes go to the store, and the service looks at their first ones only."""
    waiting = announced(
        shop, photo, content_type="image/jpeg", filename="Märchen ☀.jpg"
    )
    upload = waiting["upload"]
    assert (upload["method"], waiting["status"]) == ("PUT", "created")
    assert upload["presigned_put_url"].startswith(shop.bucket.endpoint)
    assert upload["object_key"] == f"raw/{waiting['job_id']}/source"
    assert upload["headers"]["Content-Type"] == "image/jpeg"
    checked(start(shop, waiting), 409, "upload_missing")
    assert put(shop, waiting, photo).status_code == 200
    assert start(shop, waiting).status_code == 202
    document = ended(shop.service, waiting["job_id"])
    assert document["status"] == "succeeded"
    assert document["source"]["sha256"] == hashlib.sha256(photo).hexdigest()
    assert document["source"]["filename"] == "Märchen ☀.jpg"
    shop.fetched(document["outputs"][0])
    assert start(shop, waiting).status_code == 202


def test_other_bytes_than_the_announced_are_refused_by_the_store(
    shop: Shop, photo: bytes
) -> None:
    """Too many, too few, others, or of another type; the right ones may follow."""
    waiting = announced(shop, photo, content_type="image/jpeg")
    for data in (photo + b"!", photo[:-1], photo[:-1] + b"?"):
        assert put(shop, waiting, data).status_code in {400, 403}
    wrong = put(shop, waiting, photo, **{"Content-Type": "image/png"})
    assert wrong.status_code == 403
    assert shop.keys_of(waiting["job_id"]) == []
    checked(start(shop, waiting), 409, "upload_missing")
    assert put(shop, waiting, photo).status_code == 200
    assert start(shop, waiting).status_code == 202


def test_a_long_upload_is_compared_as_well(
    shop: Shop, sources: dict[str, Path]
) -> None:
    """In one request; no part of it passes through the service."""
    data = sources["png-rgb"].read_bytes() + bytes(12 * 1024 * 1024)
    waiting = announced(shop, data)
    assert put(shop, waiting, data).status_code == 200
    assert start(shop, waiting).status_code == 202
    document = ended(shop.service, waiting["job_id"])
    assert document["status"] == "succeeded"
    assert document["source"]["bytes"] == len(data)


def test_what_was_not_announced_may_come_once(shop: Shop, photo: bytes) -> None:
    """Nobody slips in another photo under the same link, before or after the start."""
    waiting = announced(shop)
    assert put(shop, waiting, photo).status_code == 200
    assert put(shop, waiting, photo).status_code == 412
    assert start(shop, waiting).status_code == 202
    assert put(shop, waiting, photo).status_code == 412
    assert ended(shop.service, waiting["job_id"])["status"] == "succeeded"


@pytest.mark.parametrize(
    ("data", "status", "code"),
    [(b"", 400, "empty_file"), (b"words " * 30, 415, "unsupported_format")],
)
def test_what_is_no_photo_is_refused_and_makes_room(
    shop: Shop, photo: bytes, data: bytes, status: int, code: str
) -> None:
    """The same link takes the photo then."""
    waiting = announced(shop)
    assert put(shop, waiting, data).status_code == 200
    checked(start(shop, waiting), status, code)
    assert shop.keys_of(waiting["job_id"]) == []
    assert put(shop, waiting, photo).status_code == 200
    assert start(shop, waiting).status_code == 202


def test_an_object_swapped_after_the_start_is_not_read(
    shop: Shop, busy: list[str], photo: bytes, sources: dict[str, Path]
) -> None:
    """Not even by who may write to the bucket."""
    waiting = announced(shop, photo)
    assert put(shop, waiting, photo).status_code == 200
    assert start(shop, waiting).status_code == 202
    shop.put(waiting["upload"]["object_key"], sources["png-rgb"].read_bytes())
    for job_id in busy:
        shop.service.http.delete(f"/v1/jobs/{job_id}")
    document = ended(shop.service, waiting["job_id"])
    assert document["status"] == "failed"
    assert document["error"]["code"] == "upload_mismatch"


def test_a_link_expires(brief: Shop, photo: bytes) -> None:
    """The store refuses it then; the job's document told when."""
    taken: list[Announced] = []

    def is_taken() -> bool:
        """Of links that live for four seconds a machine that stalls loses some."""
        taken.append(announced(brief, photo))
        return put(brief, taken[-1], photo).status_code == 200

    eventually(is_taken, 60)
    eventually(lambda: put(brief, taken[-1], photo).status_code == 403, 60)


def test_a_stranger_sees_nothing(shop: Shop, photo: bytes) -> None:
    """Sources are private; a link is for one method and one key."""
    waiting = announced(shop, photo)
    url = waiting["upload"]["presigned_put_url"]
    assert shop.web.get(url).status_code == 403
    assert shop.web.get(url.partition("?")[0]).status_code == 403
    other = announced(shop, photo)
    assert (
        shop.web.put(
            url.replace(waiting["job_id"], other["job_id"]),
            headers=waiting["upload"]["headers"],
            content=photo,
        ).status_code
        == 403
    )
