"""Requests that a stopping server cuts off while a thread is still at them."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest
from fastapi import FastAPI
from tests.contract.http.asgi import Exchange, until
from tests.contract.http.site import GIF, PIPELINE, Site

from pixtools.api.routers.files import BATCH_BYTES, files_router
from pixtools.jobs.ports.facts import JobQuery
from pixtools.testing.memory_blobs import MemoryBlobs, MemoryWriter
from pixtools.testing.memory_jobs import MemoryDatabase, MemoryTransaction

KIND = {"Content-Type": "multipart/form-data; boundary=edge"}
KEY = {"Idempotency-Key": "k"}
FIELD = '--edge\r\nContent-Disposition: form-data; name="{}"\r\n\r\n{}\r\n'
WISH = FIELD.format("pipeline", json.dumps(PIPELINE))
FORMS = {
    "/v1/jobs": WISH,
    "/v1/batches": WISH,
    "/api/process": FIELD.format("operations", '["webp"]'),
}
ROUTES = pytest.mark.parametrize("path", FORMS)


class Gate:
    """Whoever comes here hangs until it is opened; open it is from then on."""

    def __init__(self) -> None:
        self.reached, self.opened = threading.Event(), threading.Event()

    def hold(self) -> None:
        self.reached.set()
        self.opened.wait(20)


class SlowBlobs(MemoryBlobs):
    """Hangs when an object is begun, or when it is written to."""

    def __init__(self, *, begin: Gate | None = None, write: Gate | None = None) -> None:
        super().__init__()
        self.begin, self.write = begin, write
        self.writers: list[SlowWriter] = []

    def writer(self, key: str, content_type: str | None = None) -> MemoryWriter:
        if self.begin:
            self.begin.hold()
        self.writers.append(SlowWriter(self, key, content_type))
        return self.writers[-1]


class SlowWriter(MemoryWriter):
    """Knows whether it was dropped, and whether that was in the middle of writing."""

    busy = dropped = torn = False

    def write(self, chunk: bytes) -> None:
        assert isinstance(self._blobs, SlowBlobs)
        self.busy = True
        if self._blobs.write:
            self._blobs.write.hold()
        self.busy = False
        super().write(chunk)

    def abort(self) -> None:
        self.dropped, self.torn = True, self.torn or self.busy
        super().abort()


class SlowDatabase(MemoryDatabase):
    """Hangs before the end of the transaction that takes a job on."""

    def __init__(self, gate: Gate) -> None:
        super().__init__()
        self.gate = gate

    @contextmanager
    def write(self) -> Iterator[MemoryTransaction]:
        with super().write() as tx:
            yield tx
            if tx.jobs.find(JobQuery(tenant="default")):
                self.gate.hold()


class Door:
    """A door to a store, for anyone."""

    def __init__(self, blobs: MemoryBlobs) -> None:
        self._blobs = blobs

    def download(self, key: str, token: str, headers: object) -> Any:
        """Nothing is asked for here."""

    def upload(self, key: str, token: str, **_: object) -> MemoryWriter:
        return self._blobs.writer(key)


def standing_on(**ports: Any) -> Site:
    site = Site()
    site.house.blobs = ports.get("blobs", site.house.blobs)
    site.lean_on(**ports)
    return site


def form(path: str) -> bytes:
    photo = FIELD.format('file"; filename="a.gif', GIF.decode("latin-1"))
    return f"{FORMS[path]}{photo}--edge--\r\n".encode("latin-1")


def cut_off(
    gate: Gate, exchange: Callable[[], Exchange], then: Callable[[], object] = object
) -> None:
    """Cut it off while a thread hangs, which goes on when that has been heard of."""

    async def story() -> None:
        async with exchange() as cut:
            await until(gate.reached.is_set)
            cut.cut_off()
            await asyncio.sleep(0.1)
            gate.opened.set()
            with suppress(asyncio.CancelledError):
                await cut.over()
            await until(then)

    asyncio.run(asyncio.wait_for(story(), 20))


@ROUTES
@pytest.mark.parametrize("key", [{}, KEY], ids=["without a key", "with a key"])
def test_what_is_begun_after_the_cut_is_dropped(path: str, key: dict[str, str]) -> None:
    """And its key is free."""
    blobs = SlowBlobs(begin=Gate())
    site = standing_on(blobs=blobs)
    assert blobs.begin
    cut_off(
        blobs.begin,
        lambda: Exchange(site.app, "POST", path, KIND | key, form(path)),
        lambda: blobs.writers and blobs.writers[0].dropped,
    )
    assert site.left() == ([], [])
    assert site.upload(headers=KEY).status_code == 202


@ROUTES
def test_nothing_is_dropped_while_a_thread_writes_to_it(path: str) -> None:
    blobs = SlowBlobs(write=Gate())
    site = standing_on(blobs=blobs)
    assert blobs.write
    cut_off(
        blobs.write, lambda: Exchange(site.app, "POST", path, KIND | KEY, form(path))
    )
    assert [(file.dropped, file.torn) for file in blobs.writers] == [(True, False)]
    assert site.left() == ([], [])
    assert site.upload(headers=KEY).status_code == 202


@ROUTES
def test_a_job_that_was_taken_on_meanwhile_has_its_photo(path: str) -> None:
    """The client does not hear of it; under its key it is answered with this job."""
    gate = Gate()
    site = standing_on(database=SlowDatabase(gate))
    cut_off(gate, lambda: Exchange(site.app, "POST", path, KIND | KEY, form(path)))
    files, jobs = site.left()
    assert len(jobs) == 1
    assert [jobs[0] in file for file in files] == [True]


def test_neither_is_a_file_behind_a_link_dropped_while_it_is_written_to() -> None:
    """Its descriptor, if it were closed then, might be another file's by the time."""
    blobs = SlowBlobs(write=Gate())
    app = FastAPI()
    app.include_router(files_router(Door(blobs)))
    assert blobs.write

    def put() -> Exchange:
        size = {"Content-Length": str(2 * BATCH_BYTES)}
        exchange = Exchange(app, "PUT", "/files/raw/a", size, None)
        exchange.send(bytes(BATCH_BYTES))
        return exchange

    cut_off(blobs.write, put)
    assert [(file.dropped, file.torn) for file in blobs.writers] == [(True, False)]
    assert blobs.keys() == []
