"""What a client of the service does, in one line each."""

from __future__ import annotations

import hashlib
import io
import json
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import numpy as np
from PIL import Image
from tests.acceptance.deployed import Served

from pixtools.testing.program import eventually

WEBP = [{"id": "small", "action": "resize", "width": 64, "format": "webp"}]
TERMINAL = frozenset({"succeeded", "partial", "failed", "canceled"})
SLOW = [{"id": "slow", "action": "convert", "format": "avif", "effort": 4}]
"""Most of a minute of encoding for twelve megapixels, deaf to requests to stop."""
ENDLESS = [{**SLOW[0], "effort": 6}]
"""Minutes of it, also on a machine three times as quick: it has to be stopped."""
ALL_HANDS = {"HEAVY_MS": "86400000"}
"""Nothing is heavy: a slow job for each runner keeps all of them busy."""

TELLING = frozenset({"attempts", "circuits", "events"})
Step = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Told:
    """One Server-Sent Event."""

    kind: str
    id: int
    document: dict[str, Any]


def post(
    service: Served,
    photo: Path | bytes,
    steps: Sequence[Step] | None = WEBP,
    *,
    filename: str | None = None,
    headers: dict[str, str] | None = None,
    **fields: str,
) -> httpx2.Response:
    """POST /v1/jobs with a photo."""
    name = filename or (photo.name if isinstance(photo, Path) else "photo.jpg")
    data = photo.read_bytes() if isinstance(photo, Path) else photo
    if steps is not None:
        fields["pipeline"] = json.dumps(list(steps))
    return service.http.post(
        "/v1/jobs", files={"file": (name, data)}, data=fields, headers=headers
    )


def submitted(
    service: Served,
    photo: Path | bytes,
    steps: Sequence[Step] | None = WEBP,
    **wishes: Any,
) -> str:
    """The id of a new job."""
    answer = post(service, photo, steps, **wishes)
    assert answer.status_code == 202, answer.text
    job_id: str = answer.json()["job_id"]
    return job_id


def job(service: Served, job_id: str) -> dict[str, Any]:
    """The job's document now."""
    answer = service.http.get(f"/v1/jobs/{job_id}")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def ended(service: Served, job_id: str, within: float = 60) -> dict[str, Any]:
    """The job's document when nothing of it will change any more."""
    deadline = time.monotonic() + within
    while True:
        left = deadline - time.monotonic()
        assert left > 0, f"not ended after {within:g} s: {job(service, job_id)}"
        answer = service.http.get(
            f"/v1/jobs/{job_id}", params={"wait": min(25.0, left)}
        )
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        if settled(found):
            return found


def settled(document: dict[str, Any]) -> bool:
    """Whether nothing of a job or batch will change any more."""
    archive = document["archive"] or {"status": "skipped"}
    over = document["finished_at"] is not None
    return over and archive["status"] not in ("pending", "processing")


@contextmanager
def endless_work(service: Served, photo: Path, count: int) -> Iterator[list[str]]:
    """So many jobs are at work that do not end by themselves; they go whatever fails.

    Else they would keep workers from whatever comes next.
    """
    ids: list[str] = []
    try:
        ids.extend(submitted(service, photo, ENDLESS) for _ in range(count))
        eventually(lambda: all(job(service, i)["started_at"] for i in ids), 60)
        yield ids
    finally:
        for job_id in ids:
            service.http.delete(f"/v1/jobs/{job_id}")


def quiet(service: Served, within: float = 60) -> None:
    """Wait until nothing is at work that earlier tests have left to itself."""

    def is_so() -> bool:
        listed = service.http.get("/v1/jobs", params={"limit": 100}).json()["data"]
        moving = [each for each in listed if each["status"] != "created"]
        at_hand = [name for name in service.files() if name.startswith("scratch/")]
        return all(map(settled, moving)) and not at_hand

    eventually(is_so, within)


def kept(service: Served) -> tuple[dict[str, int], set[str]]:
    """Rows and files that a refused request might leave.

    Clients of earlier jobs are told of them at any time, again and again if they do
    not answer: that leaves rows, too.
    """
    rows = {name: n for name, n in service.rows().items() if name not in TELLING}
    return rows, service.files()


def made(
    service: Served,
    photo: Path | bytes,
    steps: Sequence[Step] | None = WEBP,
    **wishes: Any,
) -> dict[str, Any]:
    """The document of a new job after its end."""
    return ended(service, submitted(service, photo, steps, **wishes))


def process(
    service: Served,
    photo: Path | bytes,
    operations: object = ("webp",),
    *,
    headers: dict[str, str] | None = None,
    **fields: str,
) -> httpx2.Response:
    """POST /api/process."""
    name = photo.name if isinstance(photo, Path) else "photo.jpg"
    data = photo.read_bytes() if isinstance(photo, Path) else photo
    text = operations if isinstance(operations, str) else json.dumps(operations)
    return service.http.post(
        "/api/process",
        files={"file": (name, data)},
        data={"operations": text, **fields},
        headers=headers,
    )


def polled(service: Served, job_id: str, within: float = 60) -> dict[str, Any]:
    """GET /api/jobs/{id} until the ZIP is there or the job has failed."""
    deadline = time.monotonic() + within
    while True:
        answer = service.http.get(f"/api/jobs/{job_id}")
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        if found["archive_url"] or found["status"] == "FAILED":
            return found
        assert time.monotonic() < deadline, found
        time.sleep(0.05)


def fetched(service: Served, url: str) -> httpx2.Response:
    """A file behind a link, whole."""
    assert url.startswith(service.homes), url
    answer = service.http.get(url)
    assert answer.status_code == 200, answer.text
    return answer


def picture_of(service: Served, output: dict[str, Any]) -> Image.Image:
    """An output as an independent reader sees it, after its bytes were compared."""
    content = fetched(service, output["url"]).content
    assert len(content) == output["bytes"]
    assert hashlib.sha256(content).hexdigest() == output["sha256"]
    picture = Image.open(io.BytesIO(content))
    picture.load()
    return picture


def strayed(picture: Image.Image, like: Image.Image) -> float:
    """How far two pictures are apart, of 255 on average."""
    ours = np.asarray(picture.convert("RGB"), dtype="i2")
    return float(np.abs(ours - np.asarray(like.convert("RGB"), dtype="i2")).mean())


def check_whole(service: Served, document: dict[str, Any]) -> None:
    """Every output of a job can be fetched, decoded, and is what was told of it."""
    for output in document["outputs"]:
        assert output["status"] == "succeeded", document
        assert picture_of(service, output).size == (output["width"], output["height"])


@contextmanager
def stream(
    service: Served, path: str, after: int | None = None
) -> Iterator[Iterator[Told]]:
    """The events of a job or batch as they come."""
    headers = {} if after is None else {"Last-Event-ID": str(after)}
    with service.http.stream("GET", f"{path}/events", headers=headers) as answer:
        assert answer.status_code == 200, answer.read()
        assert answer.headers["content-type"].startswith("text/event-stream")
        yield _events(answer.iter_lines())


def events(service: Served, path: str, after: int | None = None) -> list[Told]:
    """All events until the stream ends by itself."""
    with stream(service, path, after) as told:
        return list(told)


def at_once(*calls: Any) -> list[Any]:
    """Call all at the same moment, each in a thread; their answers in order."""
    gate = threading.Barrier(len(calls))
    answers: list[Any] = [None] * len(calls)

    def run(index: int) -> None:
        gate.wait()
        try:
            answers[index] = calls[index]()
        except Exception as error:  # noqa: BLE001 - the test looks at what came
            answers[index] = error

    threads = [threading.Thread(target=run, args=(n,)) for n in range(len(calls))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return answers


def _events(lines: Iterator[str]) -> Iterator[Told]:
    kind, number, data = "", 0, ""
    for line in lines:
        name, _, value = line.partition(": ")
        if name == "event":
            kind = value
        elif name == "id":
            number = int(value)
        elif name == "data":
            data = value
        elif not line and data:
            yield Told(kind, number, json.loads(data))
            kind, data = "", ""
