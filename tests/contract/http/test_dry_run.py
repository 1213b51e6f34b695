"""`POST /v1/jobs?dry_run=true`: an answer, and nothing else."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.contract.http.site import GIF, PIPELINE, Site, pointers, problem

from pixtools.limits.config import BucketConfig
from pixtools.limits.memory import MemoryBuckets
from pixtools.testing.memory_jobs import MemoryDatabase

DRY = "/v1/jobs?dry_run=true"
ORDER = {"source_type": "s3_presigned", "pipeline": PIPELINE}
FORM = {"pipeline": json.dumps(PIPELINE)}


def with_photo(site: Site, data: bytes = GIF, **fields: str) -> Any:
    files = {"file": ("cat.gif", data)}
    return site.ask("POST", DRY, files=files, data=FORM | fields)


def untouched(site: Site) -> bool:
    """Nothing was written, and nobody was woken."""
    database = site.house.database
    assert isinstance(database, MemoryDatabase)
    return (database.writes, site.house.blobs.keys()) == (0, [])


def test_a_photo_that_comes_along_is_looked_at(site: Site) -> None:
    answer = with_photo(site)
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    body = answer.json()
    assert (body["dry_run"], body["basis"], body["example"]) == (True, "photo", None)
    assert body["source"] == {
        "format": "gif",
        "width": 160,
        "height": 112,
        "bytes": len(GIF),
    }
    assert set(body["cost"]) == {"compute_time_ms", "pixels_processed", "decoded_bytes"}
    (output,), (stage,) = body["plan"]["outputs"], body["plan"]["stages"]
    assert (output["width"], output["content_type"]) == (64, "image/webp")
    assert stage["steps"] == [output["id"]]
    assert not stage["heavy"]
    assert stage["compute_time_ms"] == body["cost"]["compute_time_ms"]
    assert (body["plan"]["archive"], body["plan"]["metadata"]) == (True, False)
    assert untouched(site)


def test_a_photo_to_come_is_answered_from_the_options(site: Site) -> None:
    body = site.ask("POST", DRY, json=ORDER | {"bytes": 9}).json()
    assert (body["basis"], body["source"], body["cost"]) == ("options", None, None)
    assert "not known" in body["note"]
    assert body["example"]["source"]["width"] == 4000
    assert body["example"]["cost"]["compute_time_ms"] > 0
    assert body["plan"]["stages"][0]["compute_time_ms"] is None
    limits = {limit["name"]: limit["used"] for limit in body["limits"]}
    assert (limits["max_upload_bytes"], limits["max_steps"]) == (9, 1)
    assert limits["max_pixels"] is None
    assert untouched(site)


def test_a_photo_that_will_be_fetched_is_not_fetched_for_an_answer(site: Site) -> None:
    order = ORDER | {"source_type": "url", "url": "https://photos.example/cat.gif"}
    body = site.ask("POST", DRY, json=order).json()
    assert (body["basis"], body["source"], body["cost"]) == ("options", None, None)
    assert [stage["kind"] for stage in body["plan"]["stages"]] == ["fetch", "render"]
    assert body["plan"]["outputs"][0]["lane"] == "default_queue"
    assert untouched(site)
    site.lean_on(fetcher=None)
    told = problem(site.ask("POST", DRY, json=order), 422, "invalid_request")
    assert pointers(told) == ["/source_type"]


def test_a_photo_that_rests_here_is_looked_at(site: Site, tmp_path: Path) -> None:
    (tmp_path / "cat.gif").write_bytes(GIF)
    site.rule(local_root=tmp_path)
    order = ORDER | {"source_type": "local_file", "object_key": "cat.gif"}
    body = site.ask("POST", DRY, json=order).json()
    assert (body["basis"], body["source"]["width"]) == ("photo", 160)
    assert untouched(site)


def test_limits_are_those_that_are_shown(site: Site) -> None:
    shown = site.ask("GET", "/v1/limits").json()
    limits = site.ask("POST", DRY, json=ORDER).json()["limits"]
    assert {each["name"]: each["limit"] for each in limits}.items() <= shown.items()


def test_a_full_queue_and_a_key_do_not_matter(site: Site) -> None:
    """The key is still free for the request that is meant."""
    site.rule(queue_size=1)
    key = {"Idempotency-Key": "mine"}
    assert site.ask("POST", DRY, json=ORDER, headers=key).status_code == 200
    first = site.ask("POST", "/v1/jobs", json=ORDER, headers=key)
    assert first.status_code == 201
    assert "idempotent-replayed" not in first.headers
    assert site.upload().status_code == 202
    problem(site.upload(), 503, "queue_full")
    assert with_photo(site).status_code == 200


@pytest.mark.parametrize("way", ["true", "1", "on"])
def test_there_are_several_ways_to_say_yes(site: Site, way: str) -> None:
    answer = site.ask("POST", f"/v1/jobs?dry_run={way}", json=ORDER)
    assert answer.json()["dry_run"] is True


def test_no_is_no(site: Site) -> None:
    assert site.ask("POST", "/v1/jobs?dry_run=false", json=ORDER).status_code == 201


@pytest.mark.parametrize(
    ("status", "code", "pointer", "request_"),
    [
        (415, "unsupported_format", None, {"files": {"file": b"just words " * 20}}),
        (400, "empty_file", None, {"files": {"file": b""}}),
        (422, "invalid_request", "/file", {"files": {"other": (None, b"x")}}),
        (422, "invalid_request", "/bytes", {"json": ORDER | {"bytes": 0}}),
        (422, "invalid_pipeline", None, {"json": ORDER | {"pipeline": []}}),
        (
            422,
            "invalid_request",
            "/webhook_url",
            {"json": ORDER | {"webhook_url": "x"}},
        ),
        (413, "upload_too_large", None, {"json": ORDER | {"bytes": 2**40}}),
        (404, "batch_not_found", None, {"json": ORDER | {"batch_id": "x"}}),
        (415, "unsupported_media_type", None, {"content": b"x"}),
    ],
)
def test_what_is_wrong_is_told_as_ever(
    site: Site,
    status: int,
    code: str,
    pointer: str | None,
    request_: dict[str, Any],
) -> None:
    if "files" in request_:
        request_ = request_ | {"data": FORM}
        if "other" in request_["files"]:
            request_ = {"files": {"pipeline": (None, FORM["pipeline"].encode())}}
    body = problem(site.ask("POST", DRY, **request_), status, code)
    if pointer:
        assert pointers(body) == [pointer]
    assert untouched(site)


def test_neither_yes_nor_no_is_explained(site: Site) -> None:
    body = problem(
        site.ask("POST", "/v1/jobs?dry_run=maybe", json=ORDER), 422, "invalid_request"
    )
    assert body["detail"] == "Expected true or false for dry_run but received 'maybe'."


def test_it_counts_against_the_quota() -> None:
    """It costs reading the photo, as a job does."""
    site = Site(limiter=MemoryBuckets(BucketConfig(capacity=1, window=60)))
    assert with_photo(site).status_code == 200
    problem(with_photo(site), 429, "rate_limited")
