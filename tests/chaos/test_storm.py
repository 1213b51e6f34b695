"""Many clients who do everything at once, and to each other's jobs."""

from __future__ import annotations

import random
import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2
import pytest
from tests.acceptance.visiting import WEBP, at_once, ended, post
from tests.chaos.aftermath import check_tidy, check_told_once
from tests.chaos.work import ENCODE, MIXED

from pixtools.testing.serving import Serving

pytestmark = pytest.mark.timeout(400)

CLIENTS = 6
DEEDS = 40
TERMINAL = {"succeeded", "failed", "canceled"}


class Storm:
    """Clients that share what they know of jobs."""

    def __init__(self, service: Serving, photos: list[Path]) -> None:
        self.service = service
        self.photos = photos
        self.known: list[str] = []
        self.answers: Counter[tuple[str, int]] = Counter()
        self.faults: list[str] = []
        self._lock = threading.Lock()

    def client(self, seed: int) -> None:
        dice = random.Random(seed)
        for _ in range(DEEDS):
            deed = dice.choice(DEED_NAMES)
            answer: httpx2.Response = getattr(self, deed)(dice)
            self.answers[deed, answer.status_code] += 1
            if answer.status_code >= 500:
                self.faults.append(f"{deed}: {answer.text}")

    def submit(self, dice: random.Random) -> httpx2.Response:
        steps = dice.choice([*MIXED, ENCODE])
        return self._learned(post(self.service, dice.choice(self.photos), steps))

    def announce(self, dice: random.Random) -> httpx2.Response:
        order: dict[str, Any] = {"source_type": "s3_presigned", "pipeline": WEBP}
        answer = self.service.http.post("/v1/jobs", json=order)
        upload = answer.json()["upload"]
        data = dice.choice(self.photos).read_bytes()
        url, headers = upload["presigned_put_url"], upload["headers"]
        self.service.http.put(url, headers=headers, content=data)
        # Told only now: what is uploaded for a job that somebody has erased meanwhile
        # is swept much later (tests/unit/jobs/test_orphans.py).
        self._learned(answer)
        return self.start(dice)

    def start(self, dice: random.Random) -> httpx2.Response:
        return self.service.http.post(f"/v1/jobs/{self._any(dice)}/start")

    def read(self, dice: random.Random) -> httpx2.Response:
        wait = dice.choice([0, 0.2])
        return self.service.http.get(
            f"/v1/jobs/{self._any(dice)}", params={"wait": wait}
        )

    def listing(self, dice: random.Random) -> httpx2.Response:
        return self.service.http.get("/v1/jobs", params={"limit": dice.randint(1, 50)})

    def cancel(self, dice: random.Random) -> httpx2.Response:
        return self.service.http.post(f"/v1/jobs/{self._any(dice)}/cancel")

    def delete(self, dice: random.Random) -> httpx2.Response:
        return self.service.http.delete(f"/v1/jobs/{self._any(dice)}")

    def retry(self, dice: random.Random) -> httpx2.Response:
        job_id = self._any(dice)
        return self._learned(self.service.http.post(f"/v1/jobs/{job_id}/retry"))

    def _any(self, dice: random.Random) -> str:
        with self._lock:
            return dice.choice(self.known or ["01900000-0000-7000-8000-000000000000"])

    def _learned(self, answer: httpx2.Response) -> httpx2.Response:
        if answer.status_code < 300:
            with self._lock:
                self.known.append(answer.json()["job_id"])
        return answer


DEED_NAMES = (
    "submit", "submit", "announce", "start", "read", "listing", "cancel", "delete",
    "retry",
)  # fmt: skip


def test_every_job_ends_once_and_nothing_is_left_of_the_erased(
    serve: Callable[..., Serving], photo_vga: Path, photo_2mp: Path
) -> None:
    service = serve()
    storm = Storm(service, [photo_vga, photo_2mp])
    at_once(*(lambda seed=seed: storm.client(seed) for seed in range(CLIENTS)))
    assert storm.faults == []
    assert storm.answers.total() == CLIENTS * DEEDS, storm.answers
    for job_id in storm.known:
        answer = service.http.get(f"/v1/jobs/{job_id}")
        if answer.status_code == 404 or answer.json()["status"] == "created":
            continue
        document = ended(service, job_id)
        assert document["status"] in TERMINAL
        check_told_once(service, document)
    check_tidy(service)
    assert "Traceback" not in service.words()
