"""SIGTERM and Ctrl-C: a clean end within seconds, whatever is going on."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from tests.acceptance.visiting import (
    SLOW,
    Told,
    at_once,
    events,
    job,
    stream,
    submitted,
)
from tests.chaos.aftermath import check_all_succeeded, check_tidy
from tests.chaos.polls import Poll
from tests.chaos.work import MIXED

from pixtools.jobs.service import Rules
from pixtools.testing.serving import Serving, eventually, serving

pytestmark = pytest.mark.timeout(300)

SECONDS = 10.0
PATIENCE = 60.0
"""Only a hang takes that long."""


def test_ctrl_c_ends_an_idle_service_at_once(serve: Callable[..., Serving]) -> None:
    service = serve()
    since = time.monotonic()
    service.process.send_signal(signal.SIGINT)
    assert service.process.wait(20) == 0, service.words()
    assert time.monotonic() - since < SECONDS
    assert service.family() == []
    assert "Traceback" not in service.words()


@dataclass(slots=True)
class Stop:
    """What was going on when the service was asked to stop, and what came of it."""

    service: Serving
    encoding: str = ""
    waiting: list[str] = field(default_factory=list)
    code: int | None = None
    seconds: float = 0.0
    outlived: list[int] = field(default_factory=list)
    heard: list[Told] = field(default_factory=list)
    polled: int = 0
    attempts_left: int = 0
    leases: int = 0
    begun_again: bool = False

    @property
    def path(self) -> str:
        return f"/v1/jobs/{self.encoding}"

    def happen(self, photo: Path, large: Path) -> None:
        """Set everything going, and stop it in the middle of an encode."""
        self.encoding = submitted(self.service, large, SLOW)
        self.waiting = [
            submitted(self.service, photo, MIXED[n % len(MIXED)]) for n in range(6)
        ]
        begun, poll = threading.Event(), Poll(self.service, self.encoding)
        at_once(
            lambda: self._watch(begun),
            lambda: self._ask(poll),
            lambda: self._stop(begun, poll),
        )
        self.outlived = self.service.family()
        with closing(self.service.database()) as database:
            (self.attempts_left,) = database.execute(
                "SELECT max_attempts - attempt FROM stages WHERE job_id = ?"
                " AND kind = 'render'",
                (self.encoding,),
            ).fetchone()
            (self.leases,) = database.execute(
                "SELECT count(*) FROM stages WHERE lease_owner IS NOT NULL"
            ).fetchone()

    def begin_again(self) -> None:
        """Start it; the long encode is begun once more, and that is enough of it."""
        self.service.restart()
        eventually(lambda: self._running() == 1, PATIENCE)
        self.begun_again = True
        self.service.http.post(f"{self.path}/cancel")

    def _running(self) -> int:
        with closing(self.service.database()) as database:
            sql = "SELECT count(*) FROM stages WHERE job_id = ? AND status = 'running'"
            return int(database.execute(sql, (self.encoding,)).fetchone()[0])

    def _watch(self, begun: threading.Event) -> None:
        with stream(self.service, self.path) as told:
            for event in told:
                self.heard.append(event)
                begun.set()

    def _ask(self, poll: Poll) -> None:
        self.polled = poll.ask().status_code

    def _stop(self, begun: threading.Event, poll: Poll) -> None:
        assert begun.wait(PATIENCE)
        poll.wait_until_open()
        eventually(lambda: job(self.service, self.encoding)["progress"] > 0, PATIENCE)
        since = time.monotonic()
        self.service.process.send_signal(signal.SIGTERM)
        self.code = self.service.process.wait(30)
        self.seconds = time.monotonic() - since


@pytest.fixture(scope="module")
def stop(photo_2mp: Path, photo_12mp: Path) -> Iterator[Stop]:
    """A busy service that was stopped, and started again."""
    with serving() as service:
        found = Stop(service)
        found.happen(photo_2mp, photo_12mp)
        found.begin_again()
        yield found


def test_it_ends_cleanly_within_seconds(stop: Stop) -> None:
    assert stop.code == 0, stop.service.words()
    assert stop.seconds < SECONDS
    assert stop.outlived == []
    assert "Traceback" not in stop.service.words()


def test_work_in_progress_is_given_back(stop: Stop) -> None:
    """However often a service is restarted, its jobs don't die of it."""
    assert stop.leases == 0
    assert stop.attempts_left == Rules().max_attempts


def test_what_was_given_back_is_begun_again_after_the_next_start(stop: Stop) -> None:
    assert stop.begun_again
    check_all_succeeded(stop.service, stop.waiting)
    check_tidy(stop.service)


def test_an_open_stream_is_let_go_and_resumes(stop: Stop) -> None:
    assert stop.heard[-1].kind != "done"
    rest = events(stop.service, stop.path, after=stop.heard[-1].id)
    assert rest[-1].kind == "done"
    assert rest[-1].document["status"] == "canceled"
    assert "snapshot" not in {event.kind for event in rest}


def test_an_open_poll_is_answered(stop: Stop) -> None:
    assert stop.polled == 200
