"""Uploads come in pieces, stop midway, or never end: nothing is held or left."""

from __future__ import annotations

import asyncio
import json
import tracemalloc
from collections.abc import Callable

import pytest
from tests.contract.http.asgi import Exchange, until
from tests.contract.http.site import GIF, PIPELINE, Site

from pixtools.api.config import ApiConfig
from pixtools.domain.limits import MIB, Limits
from pixtools.testing.memory_blobs import MemoryBlobs, MemoryWriter

KIND = {"Content-Type": "multipart/form-data; boundary=edge"}
HEAD = (
    b'--edge\r\nContent-Disposition: form-data; name="file"; filename="a.gif"\r\n\r\n'
)
TAIL = (
    b'\r\n--edge\r\nContent-Disposition: form-data; name="pipeline"\r\n\r\n'
    + json.dumps(PIPELINE).encode()
    + b"\r\n--edge--\r\n"
)
ROUTES = ["/v1/jobs", "/v1/batches"]


def tell(
    site: Site,
    path: str,
    send: Callable[[Exchange], None],
    headers: dict[str, str] | None = None,
) -> tuple[int, str]:
    """Send a request by hand; the answer's status and problem code."""

    async def story() -> tuple[int, str]:
        async with Exchange(
            site.app, "POST", path, headers=KIND | (headers or {}), body=None
        ) as post:
            send(post)
            head = await post.head()
            return head.status, json.loads(await post.body()).get("code", "")

    return asyncio.run(asyncio.wait_for(story(), 20))


def hang_up_midway(site: Site, path: str, form: bytes) -> None:
    async def story() -> None:
        async with Exchange(site.app, "POST", path, headers=KIND, body=None) as post:
            post.send(form)
            post.hang_up()
            await post.over()

    asyncio.run(asyncio.wait_for(story(), 20))


@pytest.mark.parametrize("path", ROUTES)
def test_a_form_is_taken_byte_by_byte(site: Site, path: str) -> None:
    def send(post: Exchange) -> None:
        for byte in HEAD + GIF + TAIL:
            post.send(bytes([byte]))
        post.send(b"", more=False)

    assert tell(site, path, send)[0] in {201, 202}


@pytest.mark.parametrize("path", [*ROUTES, "/api/process"])
@pytest.mark.parametrize("upto", [10, len(HEAD), len(HEAD) + 30, len(HEAD) + len(GIF)])
def test_a_connection_that_breaks_leaves_nothing(
    site: Site, path: str, upto: int
) -> None:
    hang_up_midway(site, path, (HEAD + GIF + TAIL)[:upto])
    assert site.left() == ([], [])


def test_an_interrupted_upload_may_be_sent_again_under_its_key(site: Site) -> None:
    key = {"Idempotency-Key": "k"}

    async def story() -> None:
        headers = KIND | key
        async with Exchange(site.app, "POST", "/v1/jobs", headers, body=None) as post:
            post.send(HEAD + GIF[:20])
            post.hang_up()
            await post.over()

    asyncio.run(story())
    assert site.upload(headers=key).status_code == 202


def test_two_uploads_at_once_under_one_key_are_a_conflict(site: Site) -> None:
    key = {"Idempotency-Key": "k"}

    async def story() -> tuple[int, str]:
        headers = KIND | key
        async with Exchange(site.app, "POST", "/v1/jobs", headers, body=None) as one:
            one.send(HEAD + GIF[:20])
            await until(lambda: site.house.service.flights._keys)
            form = HEAD + GIF + TAIL
            async with Exchange(site.app, "POST", "/v1/jobs", headers, form) as two:
                status = (await two.head()).status
                return status, json.loads(await two.body())["code"]

    assert asyncio.run(story()) == (409, "idempotency_in_flight")


@pytest.mark.parametrize("path", [*ROUTES, "/api/process"])
def test_a_form_that_ends_early_is_malformed(site: Site, path: str) -> None:
    def send(post: Exchange) -> None:
        post.send((HEAD + GIF + TAIL)[:-8], more=False)

    assert tell(site, path, send) == (400, "malformed_request")
    assert site.left() == ([], [])


@pytest.mark.parametrize("path", ["/v1/jobs", "/api/process"])
def test_too_large_is_refused_by_the_announced_length_alone(
    site: Site, path: str
) -> None:
    def send(post: Exchange) -> None:
        """Send nothing at all."""

    length = {"Content-Length": str(Limits().max_upload_bytes + 2 * MIB)}
    assert tell(site, path, send, length) == (413, "upload_too_large")


@pytest.mark.parametrize("path", [*ROUTES, "/api/process"])
def test_too_large_is_refused_while_it_comes(site: Site, path: str) -> None:
    site.rule(limits=Limits(max_upload_bytes=MIB))

    def send(post: Exchange) -> None:
        post.send(HEAD + GIF)
        for _ in range(32):
            post.send(bytes(64 * 1024))

    assert tell(site, path, send) == (413, "upload_too_large")
    assert site.left() == ([], [])


def test_what_is_no_image_is_refused_while_it_comes(site: Site) -> None:
    def send(post: Exchange) -> None:
        post.send(HEAD + b"this is text and goes on for ever " * 10_000)

    assert tell(site, "/v1/jobs", send) == (415, "unsupported_format")
    assert site.left() == ([], [])


def test_endless_words_after_the_form_are_refused(site: Site) -> None:
    site.rule(limits=Limits(max_upload_bytes=MIB))

    def send(post: Exchange) -> None:
        post.send(HEAD + GIF + TAIL)
        for _ in range(64):
            post.send(bytes(64 * 1024))

    assert tell(site, "/v1/jobs", send)[0] in {400, 413}
    assert site.left() == ([], [])


@pytest.mark.parametrize("kind", [KIND["Content-Type"], "application/json"])
def test_a_body_that_never_comes_is_given_up(kind: str) -> None:
    site = Site(config=ApiConfig(idle_timeout=0.05))

    def send(post: Exchange) -> None:
        """Send nothing at all."""

    status = tell(site, "/v1/jobs", send, {"Content-Type": kind})
    assert status == (408, "request_timeout")


def test_a_large_upload_is_never_held_in_memory(site: Site) -> None:
    size = 24 * MIB
    site.lean_on(blobs=ForgetfulBlobs())

    async def story() -> int:
        async with Exchange(
            site.app, "POST", "/v1/jobs", headers=KIND, body=None
        ) as post:
            post.send(HEAD + GIF)
            tracemalloc.start()
            for _ in range(size // MIB):
                post.send(bytes(MIB))
                await until(post._sent.empty)
            peak = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
            return peak

    assert asyncio.run(asyncio.wait_for(story(), 60)) < 8 * MIB


class ForgetfulBlobs(MemoryBlobs):
    """Keeps nothing of what is written."""

    def writer(self, key: str, content_type: str | None = None) -> MemoryWriter:
        return ForgetfulWriter(self, key, content_type)


class ForgetfulWriter(MemoryWriter):
    """Takes bytes and forgets them."""

    def write(self, chunk: bytes) -> None:
        """Forget."""
