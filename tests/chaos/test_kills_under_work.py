"""Kill after kill under a steady stream of photos: nothing is lost or doubled."""

from __future__ import annotations

import os
import random
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Self

import httpx2
import pytest
from tests.acceptance.visiting import post, process
from tests.chaos.aftermath import check_all_succeeded, check_tidy
from tests.chaos.work import MIXED

from pixtools.testing.serving import Serving

pytestmark = pytest.mark.timeout(400)

KILLS = 5
LEAST = 30


class Clients:
    """Two that send photos without pause, one on each face.

    What was not answered they send again with the same key, as clients should.
    """

    def __init__(self, service: Serving, photo: Path) -> None:
        self._service = service
        self._photo = photo
        self._threads = [
            threading.Thread(target=self._run, args=(face,)) for face in ("v1", "api")
        ]
        self._over = threading.Event()
        self.pause = threading.Lock()
        self.accepted: list[str] = []
        self.troubles: list[BaseException] = []

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join(150)

    def _run(self, face: str) -> None:
        number = 0
        try:
            while number < LEAST or not self._over.is_set():
                self.accepted.append(self._sent(face, number))
                number += 1
        except BaseException as error:  # noqa: BLE001 - the test looks at it
            self.troubles.append(error)

    def _sent(self, face: str, number: int) -> str:
        key = {"Idempotency-Key": f"{face}-{number}"}
        while True:
            try:
                answer = self._ask(face, number, key)
            except httpx2.TransportError:
                with self.pause:  # until it runs again
                    continue
            if answer.status_code == 202:
                found: str = answer.json()["job_id"]
                return found
            assert answer.status_code in (409, 503), answer.text
            assert answer.headers["retry-after"]

    def _ask(self, face: str, number: int, key: dict[str, str]) -> httpx2.Response:
        if face == "v1":
            steps = MIXED[number % len(MIXED)]
            return post(self._service, self._photo, steps, headers=key)
        return process(self._service, self._photo, ["webp", "metadata"], headers=key)


def age_everything(service: Serving) -> None:
    """Let what lies in the tree look as if it had lain there for an hour.

    A source without a row may be one that is just being taken in, so orphans are
    only known by their age.
    """
    before = time.time() - 3600
    for folder in (service.data / "objects").rglob("*"):
        os.utime(folder, (before, before), follow_symlinks=False)


def test_every_accepted_job_is_done_once(
    serve: Callable[..., Serving], photo_vga: Path
) -> None:
    service = serve()
    dice = random.Random(20_25)
    with Clients(service, photo_vga) as clients:
        for _ in range(KILLS):
            threading.Event().wait(dice.uniform(0.05, 0.9))
            with clients.pause:
                service.kill()
                service.restart()
    assert clients.troubles == []
    assert len(clients.accepted) >= 2 * LEAST
    check_all_succeeded(service, clients.accepted)
    age_everything(service)
    service.stop()
    service.restart()
    check_tidy(service)
    assert service.rows()["jobs"] == len(clients.accepted)
    assert "Traceback" not in service.words()
