"""Uploads that lie, break off, crawl or never end."""

from __future__ import annotations

import hashlib
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import httpx2
import pytest
from tests.acceptance.bare_wire import (
    chunk,
    connected,
    form_begin,
    form_head,
    png_head,
    sent_until_refused,
)
from tests.acceptance.refusing import SECONDS, UPLOAD_LIMIT, Left, Strict, checked
from tests.acceptance.visiting import WEBP, ended, submitted
from tests.stopwatch import Stopwatch

from pixtools.testing.images_bombs import png_claiming_most
from pixtools.testing.serving import Serving, eventually

Announced = dict[str, Any]


@pytest.fixture
def photo(photo_vga: Path) -> bytes:
    return photo_vga.read_bytes()


def announced(service: Serving, data: bytes | None = None, **more: Any) -> Announced:
    """A job that waits for exactly these bytes, or for any."""
    order: dict[str, Any] = {"source_type": "s3_presigned", "pipeline": WEBP, **more}
    if data is not None:
        order |= {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
    answer = service.http.post("/v1/jobs", json=order)
    assert answer.status_code == 201, answer.text
    found: Announced = answer.json()
    return found


def put(service: Serving, job: Announced, content: Any, **headers: str) -> Any:
    told = httpx2.Headers(job["upload"]["headers"])
    told.update(headers)
    url = job["upload"]["presigned_put_url"]
    return service.http.put(url, headers=told, content=content)


def start(service: Serving, job: Announced) -> Any:
    return service.http.post(job["start_url"])


def stored(service: Serving, job: Announced) -> list[str]:
    """Files of a job, and files on their way to one."""
    files = service.files()
    return [f for f in files if job["job_id"] in f or ".incoming" in f]


class TestWhatWasAnnounced:
    def test_other_bytes_of_the_same_length_are_refused(
        self, strict: Strict, photo: bytes
    ) -> None:
        job = announced(strict.service, photo)
        checked(put(strict.service, job, photo[:-1] + b"\0"), 409, "upload_mismatch")
        assert stored(strict.service, job) == []
        checked(start(strict.service, job), 409, "upload_missing")

    @pytest.mark.parametrize("change", [-1, 1])
    def test_another_length_is_refused(
        self, strict: Strict, photo: bytes, change: int
    ) -> None:
        job = announced(strict.service, photo)
        other = photo[:change] if change < 0 else photo + bytes(change)
        checked(put(strict.service, job, other), 409, "upload_mismatch")
        assert stored(strict.service, job) == []

    def test_another_type_is_refused(self, strict: Strict, photo: bytes) -> None:
        job = announced(strict.service, content_type="image/jpeg")
        answer = put(strict.service, job, photo, **{"Content-Type": "image/png"})
        checked(answer, 409, "upload_mismatch")

    def test_a_right_upload_may_follow_a_wrong_one(
        self, strict: Strict, photo: bytes
    ) -> None:
        job = announced(strict.service, photo)
        put(strict.service, job, photo[:-1])
        assert put(strict.service, job, photo).status_code == 200
        assert start(strict.service, job).status_code == 202
        assert ended(strict.service, job["job_id"])["status"] == "succeeded"

    def test_the_link_permits_this_one_file_only(
        self, strict: Strict, photo: bytes
    ) -> None:
        job, other = announced(strict.service), announced(strict.service)
        url = job["upload"]["presigned_put_url"].replace(job["job_id"], other["job_id"])
        answer = strict.service.http.put(url, content=photo)
        checked(answer, 403, "link_invalid")
        answer = strict.service.http.get(job["upload"]["presigned_put_url"])
        checked(answer, 403, "link_invalid")


class TestWhatWasNotAnnounced:
    def test_nothing_is_no_photo(self, strict: Strict) -> None:
        job = announced(strict.service)
        assert put(strict.service, job, b"").status_code == 200
        checked(start(strict.service, job), 400, "empty_file")
        assert stored(strict.service, job) == []

    @pytest.mark.parametrize(
        ("content", "status", "code"),
        [
            (b"words " * 30, 415, "unsupported_format"),
            (b"<svg xmlns='http://www.w3.org/2000/svg'/>", 415, "unsupported_format"),
            (png_claiming_most(), 422, "image_too_large"),
        ],
    )
    def test_the_start_looks_at_the_first_bytes(
        self, strict: Strict, content: bytes, status: int, code: str
    ) -> None:
        job = announced(strict.service)
        assert put(strict.service, job, content).status_code == 200
        checked(start(strict.service, job), status, code)
        assert stored(strict.service, job) == []

    def test_a_photo_swapped_before_the_start_is_the_photo(
        self, strict: Strict, photo: bytes, sources: dict[str, Path]
    ) -> None:
        job = announced(strict.service)
        put(strict.service, job, photo)
        put(strict.service, job, sources["png-rgb"].read_bytes())
        assert (
            start(strict.service, job).json()["source"]["content_type"] == "image/png"
        )
        assert ended(strict.service, job["job_id"])["status"] == "succeeded"

    def test_a_photo_swapped_after_the_start_is_not_read(
        self,
        service: Serving,
        busy: list[str],
        photo: bytes,
        sources: dict[str, Path],
    ) -> None:
        """Whoever still holds the link can't slip in what was never looked at."""
        job = announced(service)
        put(service, job, photo)
        assert start(service, job).status_code == 202
        assert put(service, job, sources["png-rgb"].read_bytes()).status_code == 200
        for job_id in busy:
            service.http.post(f"/v1/jobs/{job_id}/cancel")
        document = ended(service, job["job_id"])
        assert document["status"] == "failed"
        assert document["error"]["code"] == "upload_mismatch"


class TestTooMuch:
    def test_a_length_that_is_told_is_refused_before_a_byte_is_sent(
        self, strict: Strict
    ) -> None:
        job = announced(strict.service)
        path = job["upload"]["presigned_put_url"].removeprefix(strict.service.url)
        head = f"PUT {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 9999999999\r\n\r\n"
        with closing(connected(strict.service)) as wire:
            wire.sendall(head.encode())
            assert b" 413 " in wire.recv(4096)
        assert stored(strict.service, job) == []

    def test_a_form_that_never_says_how_long_it_is_is_cut_off(
        self, strict: Strict
    ) -> None:
        before = strict.found()
        with closing(connected(strict.service)) as wire:
            wire.sendall(form_head() + b"Transfer-Encoding: chunked\r\n\r\n")
            wire.sendall(chunk(form_begin() + png_head()))
            said = sent_until_refused(wire, chunk(bytes(256 * 1024)), most=40)
        assert b" 413 " in said
        assert b'"upload_too_large"' in said
        eventually(lambda: strict.left() == before, SECONDS)

    def test_a_put_has_to_say_how_long_it_is(self, strict: Strict) -> None:
        job = announced(strict.service)
        answer = put(strict.service, job, iter([b"x" * 100]))
        checked(answer, 411, "length_required")

    def test_an_announcement_of_the_limit_itself_is_taken(self, strict: Strict) -> None:
        assert announced(strict.service, bytes=UPLOAD_LIMIT)["status"] == "created"


class TestBrokenConnections:
    @pytest.mark.parametrize("share", [0.1, 0.5, 0.98])
    def test_a_form_that_is_cut_leaves_nothing(
        self, strict: Strict, photo: bytes, share: float
    ) -> None:
        before = strict.found()
        body = form_begin() + long(photo)
        with closing(connected(strict.service)) as wire:
            length = f"Content-Length: {len(body) + 100}\r\n\r\n"
            wire.sendall(form_head() + length.encode())
            wire.sendall(body[: int(len(body) * share)])
            eventually(lambda: strict.left() != before, SECONDS)
        eventually(lambda: strict.left() == before, SECONDS, lambda: str(strict.left()))

    def test_a_put_that_is_cut_leaves_nothing(
        self, strict: Strict, photo: bytes
    ) -> None:
        job = announced(strict.service)
        path = job["upload"]["presigned_put_url"].removeprefix(strict.service.url)
        body = long(photo)
        head = f"PUT {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n"
        with closing(connected(strict.service)) as wire:
            wire.sendall(head.encode() + body[: len(body) // 2])
            eventually(lambda: bool(stored(strict.service, job)), SECONDS)
        eventually(lambda: not stored(strict.service, job), SECONDS)
        checked(start(strict.service, job), 409, "upload_missing")

    def test_a_download_that_is_cut_disturbs_nobody(
        self, strict: Strict, photo_vga: Path
    ) -> None:
        document = ended(strict.service, submitted(strict.service, photo_vga))
        path = document["outputs"][0]["url"].removeprefix(strict.service.url)
        for _ in range(5):
            with closing(connected(strict.service)) as wire:
                wire.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        assert strict.service.http.get("/api/readyz").status_code == 200


class TestCrawlers:
    def test_a_hundred_of_them_keep_nobody_waiting(
        self, strict: Strict, photo_vga: Path
    ) -> None:
        before = but_usage(strict.found())
        with ExitStack() as stack:
            for number in range(100):
                wire = stack.enter_context(closing(connected(strict.service)))
                whole = form_head() + b"Content-Length: 90000\r\n\r\n" + form_begin()
                wire.sendall(whole[: 20 + number * 3])
            with Stopwatch() as watch:
                assert strict.service.http.get("/api/readyz").status_code == 200
                document = ended(strict.service, submitted(strict.service, photo_vga))
            assert document["status"] == "succeeded"
        assert watch.seconds < 5
        strict.service.http.delete(f"/v1/jobs/{document['job_id']}")
        eventually(lambda: but_usage(strict.left()) == before, SECONDS)


def long(photo: bytes) -> bytes:
    """So long that its beginning is written before its end has come."""
    return photo.ljust(UPLOAD_LIMIT - 1024, b"\0")


def but_usage(left: Left) -> Left:
    """Rows and files; what a job cost outlives it."""
    rows, files = left
    return {name: count for name, count in rows.items() if name != "usage"}, files
