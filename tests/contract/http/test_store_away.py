"""While the store is away nobody waits for it who could know."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx2
import pytest
from tests.contract.http.site import GIF, PIPELINE, Site, problem

from pixtools.api.config import ApiConfig
from pixtools.domain.errors import StorageUnavailable
from pixtools.testing.memory_blobs import MemoryBlobs, MemoryWriter

LATER: dict[str, Any] = {"source_type": "s3_presigned", "pipeline": PIPELINE}
STORED = {**LATER, "source_type": "object", "object_key": "inbox/default/cat.gif"}


class Store(MemoryBlobs):
    """A store that is away as long as it is told to be."""

    is_away = False

    def check(self) -> None:
        if self.is_away:
            raise StorageUnavailable


class Shop(Site):
    """A site that has heard of its store's health."""

    def __init__(self, word: str) -> None:
        self.store = Store()
        super().__init__(
            config=ApiConfig(probe_freshness=0), probes={word: self.store.check}
        )

    def hears(self, *, away: bool) -> None:
        self.store.is_away = away
        self.ask("GET", "/api/health")


@pytest.fixture(params=["storage", "s3"])
def shop(request: pytest.FixtureRequest) -> Shop:
    return Shop(request.param)


ASKED: dict[str, Callable[[Shop], httpx2.Response]] = {
    "a photo": lambda shop: shop.upload(),
    "a photo on the other face": lambda shop: shop.process(),
    "photos": lambda shop: shop.ask(
        "POST",
        "/v1/batches",
        files=[("file", ("a.gif", b"GIF89a"))],
        data={"preset": "gallery"},
    ),
    "an object": lambda shop: shop.ask("POST", "/v1/jobs", json=STORED),
    "a look at an object": lambda shop: shop.ask(
        "POST", "/v1/jobs?dry_run=true", json=STORED
    ),
    "objects": lambda shop: shop.ask("POST", "/v1/batches", json={"jobs": [STORED]}),
}


@pytest.mark.parametrize("what", ASKED)
def test_what_needs_it_is_refused_at_once_and_says_when_to_come_again(
    shop: Shop, what: str
) -> None:
    shop.hears(away=True)
    answer = ASKED[what](shop)
    problem(answer, 503, "storage_unavailable")
    assert int(answer.headers["retry-after"]) >= 1
    assert shop.left() == ([], [])


def test_what_does_not_need_it_goes_on(shop: Shop) -> None:
    shop.hears(away=True)
    made = shop.ask("POST", "/v1/jobs", json=LATER)
    assert made.status_code == 201
    assert shop.ask("GET", made.headers["location"]).status_code == 200
    dry = shop.ask(
        "POST",
        "/v1/jobs?dry_run=true",
        files={"file": ("a.gif", GIF)},
        data={"preset": "gallery"},
    )
    assert dry.status_code == 200, dry.text
    answer = shop.ask("POST", made.json()["start_url"])
    problem(answer, 503, "storage_unavailable")


def test_as_soon_as_it_is_back_photos_are_taken_again(shop: Shop) -> None:
    shop.hears(away=True)
    problem(shop.upload(), 503, "storage_unavailable")
    shop.hears(away=False)
    assert shop.upload().status_code == 202


class BreakingStore(MemoryBlobs):
    """Goes away with the first bytes that are written, until it is mended."""

    breaks = True

    def writer(self, key: str, content_type: str | None = None) -> MemoryWriter:
        return BreakingWriter(self, key, content_type)


class BreakingWriter(MemoryWriter):
    """A file of a store that breaks."""

    def write(self, chunk: bytes) -> None:
        assert isinstance(self._blobs, BreakingStore)
        self._blobs.away = self._blobs.breaks
        self._blobs.stat(self._key)
        super().write(chunk)


def test_what_it_broke_off_may_be_sent_again_under_its_key() -> None:
    """Though it was too far away to drop what had come."""
    site, store = Site(), BreakingStore()
    site.lean_on(blobs=store)
    key = {"Idempotency-Key": "k"}
    problem(site.upload(headers=key), 503, "storage_unavailable")
    store.away = store.breaks = False
    assert site.upload(headers=key).status_code == 202


class Absent(MemoryBlobs):
    """Is away when it is first asked to delete something."""

    asked = False

    def delete(self, prefix: str) -> int:
        if not self.asked:
            self.asked = True
            raise StorageUnavailable
        return super().delete(prefix)


def test_a_photo_that_can_not_be_dropped_keeps_no_other() -> None:
    site = Site()
    site.house.blobs = Absent()
    site.lean_on(blobs=site.house.blobs)
    answer = site.ask(
        "POST",
        "/v1/batches",
        files=[("file", (name, GIF)) for name in "abc"],
        data={"preset": "no such"},
    )
    problem(answer, 503, "storage_unavailable")
    files, jobs = site.left()
    assert (len(files), jobs) == (1, [])
