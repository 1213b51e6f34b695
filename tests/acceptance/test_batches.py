"""Jobs together: one progress, one ZIP."""

from __future__ import annotations

import io
import json
import time
import zipfile
from pathlib import Path
from typing import Any

import pytest
from tests.acceptance.deployed import Served
from tests.acceptance.visiting import (
    WEBP,
    ended,
    events,
    fetched,
    kept,
    post,
    quiet,
    settled,
    submitted,
)

pytestmark = pytest.mark.anywhere


def sent(service: Served, photos: list[tuple[str, bytes]], **fields: str) -> Any:
    """POST /v1/batches with photos."""
    files = [("file", photo) for photo in photos]
    data = {"pipeline": json.dumps(WEBP), **fields}
    return service.http.post("/v1/batches", files=files, data=data)


def over(service: Served, batch_id: str, within: float = 60) -> dict[str, Any]:
    """The batch when nothing of it will change any more."""
    deadline = time.monotonic() + within
    while True:
        answer = service.http.get(f"/v1/batches/{batch_id}")
        assert answer.status_code == 200, answer.text
        batch: dict[str, Any] = answer.json()
        if settled(batch):
            return batch
        assert time.monotonic() < deadline, batch
        time.sleep(0.05)


def test_photos_sent_together_end_in_one_zip(service: Served, photo_vga: Path) -> None:
    data = photo_vga.read_bytes()
    photos = [("a.jpg", data), ("b.jpg", data), ("a.jpg", data)]
    answer = sent(service, photos)
    assert answer.status_code == 201, answer.text
    assert len(answer.json()["jobs"]) == 3
    batch = over(service, answer.json()["batch_id"])
    assert (batch["status"], batch["progress"]) == ("succeeded", 1.0)
    assert {job["status"] for job in batch["jobs"]} == {"succeeded"}
    bundle = fetched(service, batch["archive"]["url"])
    with zipfile.ZipFile(io.BytesIO(bundle.content)) as opened:
        assert opened.testzip() is None
        assert sorted(opened.namelist()) == [
            "a-small (2).webp",
            "a-small.webp",
            "b-small.webp",
        ]


def test_each_job_of_a_batch_names_it(service: Served, photo_vga: Path) -> None:
    batch = sent(service, [("a.jpg", photo_vga.read_bytes())]).json()
    (job,) = over(service, batch["batch_id"])["jobs"]
    assert job["batch_id"] == batch["batch_id"]
    assert job["links"]["batch"] == f"/v1/batches/{batch['batch_id']}"
    listed = service.http.get("/v1/jobs", params={"batch_id": batch["batch_id"]})
    assert [entry["job_id"] for entry in listed.json()["data"]] == [job["job_id"]]


def test_a_batch_may_stay_open_until_it_is_closed(
    service: Served, photo_vga: Path
) -> None:
    batch = service.http.post("/v1/batches", json={}).json()
    assert batch["status"] == "open"
    path = f"/v1/batches/{batch['batch_id']}"
    ids = [submitted(service, photo_vga, batch_id=batch["batch_id"]) for _ in range(2)]
    for job_id in ids:
        ended(service, job_id)
    still = service.http.get(path).json()
    assert (still["status"], still["archive"]["status"]) == ("open", "pending")
    assert service.http.post(f"{path}/close").status_code == 202
    assert over(service, batch["batch_id"])["archive"]["status"] == "succeeded"
    late = post(service, photo_vga, batch_id=batch["batch_id"])
    assert (late.status_code, late.json()["code"]) == (409, "job_conflict")


def test_a_batch_of_announced_jobs_tells_where_each_photo_goes(
    service: Served, photo_vga: Path
) -> None:
    wanted = {"source_type": "s3_presigned", "pipeline": WEBP}
    answer = service.http.post("/v1/batches", json={"jobs": [wanted, wanted]})
    batch = answer.json()
    assert set(batch["uploads"]) == {job["job_id"] for job in batch["jobs"]}
    for job_id, upload in batch["uploads"].items():
        service.http.put(
            upload["presigned_put_url"],
            headers=upload["headers"],
            content=photo_vga.read_bytes(),
        )
        service.http.post(f"/v1/jobs/{job_id}/start")
    assert over(service, batch["batch_id"])["status"] == "succeeded"


def test_its_events_tell_progress_and_end_with_done(
    service: Served, photo_2mp: Path
) -> None:
    data = photo_2mp.read_bytes()
    batch = sent(service, [(f"{n}.jpg", data) for n in range(4)]).json()
    told = events(service, f"/v1/batches/{batch['batch_id']}")
    kinds = [event.kind for event in told]
    assert (kinds[0], kinds[-1]) == ("snapshot", "done")
    assert kinds.count("done") == 1
    progress = [event.document["progress"] for event in told]
    assert progress == sorted(progress)
    assert told[-1].document["archive"]["status"] == "succeeded"
    ids = [event.id for event in told]
    assert ids == sorted(ids)


def test_one_bad_photo_makes_it_partial(
    service: Served, photo_vga: Path, sources: dict[str, Path]
) -> None:
    cut = sources["jpg-baseline"].read_bytes()[:-700]
    photos = [("good.jpg", photo_vga.read_bytes()), ("cut.jpg", cut)]
    batch = over(service, sent(service, photos).json()["batch_id"])
    assert batch["status"] == "partial"
    bundle = fetched(service, batch["archive"]["url"])
    with zipfile.ZipFile(io.BytesIO(bundle.content)) as opened:
        assert opened.namelist() == ["good-small.webp"]


def test_a_photo_that_is_refused_takes_the_whole_batch_with_it(
    service: Served, photo_vga: Path
) -> None:
    quiet(service)
    before = kept(service)
    photos = [("good.jpg", photo_vga.read_bytes()), ("note.txt", b"just words " * 20)]
    answer = sent(service, photos)
    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_format")
    assert kept(service) == before


def test_an_unchanged_batch_is_not_sent_again(service: Served, photo_vga: Path) -> None:
    batch = sent(service, [("a.jpg", photo_vga.read_bytes())]).json()
    path = f"/v1/batches/{batch['batch_id']}"
    over(service, batch["batch_id"])
    tag = service.http.get(path).headers["etag"]
    again = service.http.get(path, headers={"If-None-Match": tag})
    assert (again.status_code, again.content) == (304, b"")
