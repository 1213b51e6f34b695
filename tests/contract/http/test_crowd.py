"""However many clients are slow, and whatever hangs: the others are answered."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import replace
from functools import partial
from typing import Any

from anyio import CapacityLimiter, to_thread
from tests.contract.http.asgi import Exchange, until
from tests.contract.http.site import GIF, PIPELINE, Site

from pixtools.api.threads import Threads
from pixtools.jobs.ports.blobs import Blob
from pixtools.testing.memory_blobs import MemoryBlobs, MemoryWriter

CROWD = 200
FORM = {"content-type": "multipart/form-data; boundary=x"}
WISH = (
    b'--x\r\ncontent-disposition: form-data; name="pipeline"\r\n\r\n'
    + json.dumps(PIPELINE).encode()
    + b'\r\n--x\r\ncontent-disposition: form-data; name="file"; filename="a"\r\n\r\n'
)
END = b"\r\n--x--\r\n"
ANNOUNCED = json.dumps({"source_type": "s3_presigned", "pipeline": PIPELINE}).encode()


def story(told: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(told())


async def answer(site: Site, *request: Any) -> tuple[int, Any]:
    """A whole exchange: its status, and its JSON."""
    async with Exchange(site.app, *request) as exchange:
        head = await exchange.head()
        body = await exchange.body()
        return head.status, json.loads(body) if body else None


async def light_submit(site: Site) -> tuple[int, Any]:
    return await answer(site, "POST", "/v1/jobs", FORM, WISH + GIF + END)


def test_clients_that_are_slow_take_no_thread() -> None:
    """Uploads that stop midway, long polls and streams; with one thread of each kind."""
    site = Site()
    one = partial(CapacityLimiter, 1)
    threads = Threads(moving=one(), errands=one(), watching=one())
    site.app.state.house = replace(site.app.state.house, threads=threads)
    job_id = site.upload().json()["job_id"]

    async def told() -> None:
        to_thread.current_default_thread_limiter().total_tokens = 1
        async with AsyncExitStack() as crowd:
            for _ in range(CROWD):
                upload = Exchange(site.app, "POST", "/v1/jobs", FORM, None)
                upload.send(WISH + GIF[:20])
                await crowd.enter_async_context(upload)
                stream = Exchange(site.app, "GET", f"/v1/jobs/{job_id}/events")
                await crowd.enter_async_context(stream)
                assert (await stream.head()).status == 200
                poll = Exchange(site.app, "GET", f"/v1/jobs/{job_id}?wait=30")
                await crowd.enter_async_context(poll)
            status, body = await light_submit(site)
            assert status == 202
            assert (await answer(site, "GET", f"/v1/jobs/{body['job_id']}"))[0] == 200
            assert (await answer(site, "POST", f"/v1/jobs/{job_id}/cancel"))[0] == 202
            site.bell.close()

    story(told)


class StuckWriter(MemoryWriter):
    """Writes when the store is free again."""

    def write(self, chunk: bytes) -> None:
        assert isinstance(self._blobs, StuckBlobs)
        self._blobs.wait()
        super().write(chunk)


class StuckBlobs(MemoryBlobs):
    """A store that hangs until it is freed: whoever looks at objects, or all."""

    takes_writes = False

    def __init__(self) -> None:
        super().__init__()
        self.free = threading.Event()
        self.waiting = 0
        self._counting = threading.Lock()

    def writer(self, key: str, content_type: str | None = None) -> MemoryWriter:
        kind = MemoryWriter if self.takes_writes else StuckWriter
        return kind(self, key, content_type)

    def stat(self, key: str) -> Any:
        self.wait()
        return super().stat(key)

    def wait(self) -> None:
        with self._counting:
            self.waiting += 1
        self.free.wait(60)


@asynccontextmanager
async def hanging(
    site: Site, count: int, *request: Any
) -> AsyncIterator[list[Exchange]]:
    """So many equal requests at once; the store is freed at the end."""
    blobs = site.house.blobs
    assert isinstance(blobs, StuckBlobs)
    async with AsyncExitStack() as stack:
        begun = [
            await stack.enter_async_context(Exchange(site.app, *request))
            for _ in range(count)
        ]
        try:
            yield begun
        finally:
            blobs.free.set()


class LateWriter(MemoryWriter):
    """Has stored the object long before it says so."""

    def commit(self, *, more: bool = False) -> Blob:
        assert isinstance(self._blobs, StuckBlobs)
        blob = super().commit(more=more)
        self._blobs.wait()
        return blob


class LateBlobs(StuckBlobs):
    """A store that hangs with its answer to what is written."""

    def writer(self, key: str, content_type: str | None = None) -> MemoryWriter:
        return LateWriter(self, key, content_type)


def stuck(kind: type[StuckBlobs] = StuckBlobs) -> tuple[Site, StuckBlobs]:
    site = Site()
    blobs = kind()
    site.house.blobs = blobs
    site.lean_on(blobs=blobs)
    return site, blobs


def test_a_store_that_hangs_holds_up_nothing_but_what_is_stored() -> None:
    site, blobs = stuck()

    async def told() -> None:
        upload = ("POST", "/v1/jobs", FORM, WISH + GIF + END)
        async with hanging(site, CROWD, *upload) as uploads:
            most = site.app.state.house.threads.moving.total_tokens
            await until(lambda: blobs.waiting == most)
            status, body = await answer(
                site,
                "POST",
                "/v1/jobs",
                {"content-type": "application/json"},
                ANNOUNCED,
            )
            assert status == 201
            job = f"/v1/jobs/{body['job_id']}"
            assert (await answer(site, "GET", job))[0] == 200
            assert (await answer(site, "GET", f"{job}?wait=0.01"))[0] == 200
            assert (await answer(site, "GET", "/v1/jobs"))[0] == 200
            assert (await answer(site, "POST", f"{job}/cancel"))[0] == 202
            blobs.free.set()
            assert [(await each.head()).status for each in uploads] == [202] * CROWD

    story(told)


def test_starts_that_hang_hold_up_no_upload() -> None:
    site, blobs = stuck()
    blobs.takes_writes = True
    order = json.loads(ANNOUNCED)
    start = site.ask("POST", "/v1/jobs", json=order).json()["start_url"]

    async def told() -> None:
        async with hanging(site, CROWD, "POST", start) as starts:
            most = site.app.state.house.threads.errands.total_tokens
            await until(lambda: blobs.waiting == most)
            assert (await light_submit(site))[0] == 202
            blobs.free.set()
            statuses = {(await each.head()).status for each in starts}
            assert statuses == {409}  # nothing was uploaded

    story(told)


def test_an_upload_that_is_cut_off_becomes_no_job() -> None:
    """Though a thread is still at it, and goes on when the store does."""
    site, blobs = stuck(LateBlobs)

    async def told() -> None:
        upload = ("POST", "/v1/jobs", FORM, WISH + GIF + END)
        async with hanging(site, 1, *upload) as (exchange,):
            await until(lambda: blobs.waiting == 1)
            exchange.cut_off()
            for _ in range(10):
                await asyncio.sleep(0)
            blobs.free.set()
            with suppress(asyncio.CancelledError):
                await exchange.over()

    story(told)
    assert site.ask("GET", "/v1/jobs").json()["data"] == []
