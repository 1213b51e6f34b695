"""kill -9 of the service: what it accepted is done after the next start, once."""

from __future__ import annotations

import os
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx2
import pytest
from tests.acceptance.visiting import ended, fetched, job, post, submitted
from tests.chaos.aftermath import check_all_succeeded, check_tidy
from tests.chaos.children import SECONDS, heavy_child
from tests.chaos.polls import Poll
from tests.chaos.work import LONG, MIXED

from pixtools.testing.serving import Serving, eventually, serving

pytestmark = pytest.mark.timeout(300)

KEY = {"Idempotency-Key": "once"}


@dataclass(slots=True)
class Crash:
    """What was going on when the service was killed, and what came of it."""

    service: Serving
    done: dict[str, Any] = field(default_factory=dict)
    announced: dict[str, Any] = field(default_factory=dict)
    encoding: str = ""
    waiting: list[str] = field(default_factory=list)
    poll: object = None
    unfinished: int = 0
    outlived: list[int] = field(default_factory=list)
    was_due: str = ""
    is_due: str = ""
    lease_ends: str = ""
    restarted_at: datetime = field(default_factory=lambda: datetime.now(UTC))

    def happen(self, photo: Path, small: Path, large: Path) -> None:
        """Set everything going, kill, and start again."""
        self.done = ended(
            self.service, post(self.service, small, headers=KEY).json()["job_id"]
        )
        self.encoding = submitted(self.service, large, LONG)
        eventually(lambda: job(self.service, self.encoding)["progress"] > 0, SECONDS)
        # Held, so that its middle is not over before everything else is going on.
        os.kill(heavy_child(self.service), signal.SIGSTOP)
        with self._uploading():
            incoming = "objects/.incoming/"
            eventually(
                lambda: any(incoming in n for n in self.service.files()), SECONDS
            )
            self.waiting = [
                submitted(self.service, photo, MIXED[n % len(MIXED)]) for n in range(20)
            ]
            with self._polling() as poll:
                poll.wait_until_open()
                self.service.kill()
        self._look_around()
        self.service.restart()
        self.restarted_at = datetime.now(UTC)
        self.is_due = self._of_encoding("run_at")

    def _look_around(self) -> None:
        with suppress(AssertionError):
            eventually(lambda: not self.service.family(), SECONDS)
        self.outlived = self.service.family()
        self.was_due = self._of_encoding("run_at")
        self.lease_ends = self._of_encoding("lease_expires_at")
        with closing(self.service.database()) as database:
            self.unfinished = sum(
                job_id in self.waiting
                for (job_id,) in database.execute(
                    "SELECT id FROM jobs WHERE finished_at IS NULL"
                )
            )

    def _of_encoding(self, column: str) -> str:
        with closing(self.service.database()) as database:
            sql = f"SELECT {column} FROM stages WHERE job_id = ?"
            return str(database.execute(sql, (self.encoding,)).fetchone()[0])

    def _uploading(self) -> closing[socket.socket]:
        """An upload that is halfway through for the length of a block."""
        order = {"source_type": "s3_presigned", "preset": "gallery"}
        self.announced = self.service.http.post("/v1/jobs", json=order).json()
        url = self.announced["upload"]["presigned_put_url"]
        path = url.removeprefix(self.service.url)
        head = f"PUT {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 4000000\r\n\r\n"
        port = int(self.service.url.rpartition(":")[2])
        wire = socket.create_connection(("127.0.0.1", port))
        wire.sendall(head.encode() + b"\xff\xd8" * 1_000_000)
        return closing(wire)

    @contextmanager
    def _polling(self) -> Iterator[Poll]:
        """A long poll that is open for the length of a block."""
        poll = Poll(self.service, self.encoding)

        def ask() -> None:
            try:
                self.poll = poll.ask()
            except httpx2.TransportError as error:
                self.poll = error

        asking = threading.Thread(target=ask)
        asking.start()
        yield poll
        asking.join(SECONDS)


@pytest.fixture(scope="module")
def crash(photo_2mp: Path, photo_vga: Path, photo_12mp: Path) -> Iterator[Crash]:
    """A service that was killed at the worst moment, and started again."""
    with serving() as service:
        found = Crash(service)
        found.happen(photo_2mp, photo_vga, photo_12mp)
        yield found


def test_its_pixel_children_die_with_it(crash: Crash) -> None:
    assert crash.outlived == []


def test_every_job_in_line_ends_well_and_once(crash: Crash) -> None:
    assert crash.unfinished > 0
    check_all_succeeded(crash.service, crash.waiting)


def test_a_job_in_the_middle_of_its_encode_begins_again_at_once(crash: Crash) -> None:
    """Not when its lease lapses, a minute later."""
    (document,) = check_all_succeeded(crash.service, [crash.encoding])
    assert datetime.fromisoformat(document["finished_at"]) > crash.restarted_at
    assert crash.was_due < crash.is_due < crash.lease_ends


def test_a_poll_that_was_open_breaks_off(crash: Crash) -> None:
    assert isinstance(crash.poll, httpx2.TransportError)


def test_what_was_done_stays_done(crash: Crash) -> None:
    document = ended(crash.service, crash.done["job_id"])
    again = {k: v for k, v in document.items() if k not in ("outputs", "archive")}
    assert again == {k: crash.done[k] for k in again}
    assert document["outputs"][0]["sha256"] == crash.done["outputs"][0]["sha256"]


def test_links_and_keys_that_were_given_still_hold(
    crash: Crash, photo_vga: Path
) -> None:
    path = crash.done["outputs"][0]["url"].partition("/files/")[2]
    file = fetched(crash.service, f"{crash.service.url}/files/{path}")
    assert len(file.content) == crash.done["outputs"][0]["bytes"]
    again = post(crash.service, photo_vga, headers=KEY)
    assert again.json()["job_id"] == crash.done["job_id"]
    assert again.headers["idempotent-replayed"] == "true"


def test_an_upload_that_broke_off_can_be_made_again(
    crash: Crash, photo_vga: Path
) -> None:
    start = crash.announced["start_url"]
    assert crash.service.http.post(start).json()["code"] == "upload_missing"
    path = crash.announced["upload"]["presigned_put_url"].partition("/files/")[2]
    put = crash.service.http.put(
        f"{crash.service.url}/files/{path}",
        headers=crash.announced["upload"]["headers"],
        content=photo_vga.read_bytes(),
    )
    assert put.status_code == 200, put.text
    assert crash.service.http.post(start).status_code == 202
    check_all_succeeded(crash.service, [crash.announced["job_id"]])


def test_nothing_half_done_is_left(crash: Crash) -> None:
    for job_id in (*crash.waiting, crash.encoding):
        ended(crash.service, job_id)
    check_tidy(crash.service)
    assert crash.service.rows()["jobs"] == len(crash.waiting) + 3
