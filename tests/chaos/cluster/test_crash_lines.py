"""Each row of the crash table: a process that dies at exactly that line."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

import httpx2
import pytest
from tests.chaos.cluster.house import House
from tests.chaos.cluster.lines import PATIENT, SECONDS, Lines, sent_in_background
from tests.chaos.cluster.photos import LARGE

from pixtools.testing.program import eventually

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def house(build: Callable[..., AbstractContextManager[House]]) -> Iterator[House]:
    """One of each process; the worker has nothing to do yet."""
    with build(api=1, workers=1, schedulers=1) as opened:
        opened.cluster.stop("worker-1")
        yield opened


@pytest.fixture
def lines(house: House, request: pytest.FixtureRequest, seed: int) -> Iterator[Lines]:
    """One job, and whoever stops at a line of it."""
    opened = Lines(house, house.run(request.node.name, seed, may_stray=True))
    yield opened
    opened.clear()
    if not house.cluster.process("scheduler-1").runs:
        house.cluster.restart("scheduler-1")


class TestTheApiDies:
    def test_before_its_commit_nothing_exists(self, lines: Lines) -> None:
        api = lines.start("api", "api before COMMIT")
        before = lines.house.facts.jobs()
        order = lines.order()
        came = sent_in_background(lambda: lines.submit(order, api))
        lines.wait_until_stopped(api)
        assert lines.house.facts.jobs() == before
        busy = lines.submit(order)
        assert busy.status_code in (409, 503), busy.text
        assert busy.headers["retry-after"]
        lines.house.cluster.kill(api)
        eventually(lambda: bool(came), SECONDS)
        assert isinstance(came[0], httpx2.TransportError)
        assert lines.house.facts.jobs() == before
        lines.taken(order)
        lines.hire()
        lines.check()

    def test_before_its_answer_the_key_replays_the_job(self, lines: Lines) -> None:
        api = lines.start("api", "api before 202")
        before = lines.house.facts.jobs()
        order = lines.order()
        sent_in_background(lambda: lines.submit(order, api))
        lines.wait_until_stopped(api)
        (made,) = lines.house.facts.jobs() - before
        lines.house.cluster.kill(api)
        answer = lines.submit(order)
        assert answer.headers["idempotent-replayed"] == "true"
        assert lines.taken(order) == made
        lines.hire()
        lines.check()

    def test_within_an_upload_its_parts_are_left_to_the_bucket(
        self, lines: Lines
    ) -> None:
        api = lines.start("api", "api within an upload in parts")
        order = lines.order(photo=LARGE)
        sent_in_background(lambda: lines.submit(order, api))
        lines.wait_until_stopped(api)
        eventually(lambda: len(lines.house.store.unfinished()) == 1, SECONDS)
        lines.house.cluster.kill(api)
        lines.taken(order)
        lines.hire()
        lines.check()
        (parts,) = lines.house.store.unfinished()
        lines.house.set_up_store()
        assert lines.house.store.forgets_parts_of(parts)


class TestTheSchedulerDies:
    @pytest.mark.parametrize("point", ["relay before publish", "relay before COMMIT"])
    def test_what_it_was_posting_is_posted_again(
        self, lines: Lines, point: str
    ) -> None:
        lines.house.cluster.stop("scheduler-1")
        scheduler = lines.start("scheduler", point)
        job_id = lines.taken(lines.order())
        lines.wait_until_stopped(scheduler)
        lines.house.cluster.kill(scheduler)
        assert lines.house.facts.wakeups() == 1
        lines.house.cluster.restart("scheduler-1")
        lines.hire()
        lines.check()
        assert lines.attempts(job_id) == {"render": 1}


def test_a_message_that_the_broker_loses_is_sent_again(lines: Lines) -> None:
    job_id = lines.taken(lines.order())
    eventually(lambda: lines.house.broker.waiting() == 1, SECONDS)
    assert lines.house.broker.purge() == 1
    lines.hire()
    lines.check()
    assert lines.attempts(job_id) == {"render": 1}


class TestTheWorkerDies:
    def test_before_its_claim_another_one_is_told_at_once(self, lines: Lines) -> None:
        worker = lines.start("worker", "worker before claim")
        job_id = lines.taken(lines.order())
        lines.wait_until_stopped(worker)
        lines.house.cluster.kill(worker)
        lines.hire()
        lines.check()
        assert lines.attempts(job_id) == {"render": 1}

    @pytest.mark.parametrize(
        "point", ["worker while rendering", "worker before FINISH"]
    )
    def test_at_work_another_one_takes_up_the_stage(
        self, lines: Lines, point: str
    ) -> None:
        worker = lines.start("worker", point)
        job_id = lines.taken(lines.order(kind="slow"))
        lines.wait_until_stopped(worker)
        lines.house.cluster.kill(worker)
        lines.hire()
        lines.check()
        assert lines.attempts(job_id) == {"render": 2}

    def test_before_it_tells_of_a_zip_another_one_makes_it_again(
        self, lines: Lines
    ) -> None:
        worker = lines.start("worker", "worker before FINISH of a ZIP")
        job_id = lines.taken(lines.order("huge", LARGE, archive=True))
        lines.wait_until_stopped(worker)
        lines.house.cluster.kill(worker)
        lines.hire()
        lines.check()
        assert lines.attempts(job_id) == {"render": 1, "archive": 2}

    def test_before_its_ack_the_token_finds_nothing_to_do(self, lines: Lines) -> None:
        worker = lines.start("worker", "worker before ack", **PATIENT)
        job_id = lines.taken(lines.order())
        lines.wait_until_stopped(worker)
        lines.ended(job_id)
        lines.house.cluster.kill(worker)
        eventually(lambda: lines.house.broker.waiting() == 1, SECONDS)
        lines.hire()
        lines.check()
        assert lines.attempts(job_id) == {"render": 1}

    def test_only_its_pixel_child_the_worker_tries_again(self, lines: Lines) -> None:
        worker = lines.start("worker", "worker while rendering", **PATIENT)
        job_id = lines.taken(lines.order(kind="long", photo=LARGE))
        lines.wait_until_stopped(worker)
        (child,) = lines.house.cluster.process(worker).pixel_children()
        os.kill(child, signal.SIGKILL)
        lines.house.cluster.thaw(worker)
        lines.check()
        assert lines.attempts(job_id) == {"render": 2}


class TestAZombieWakes:
    """A worker that slept past its lease, while another one did its work."""

    @pytest.mark.parametrize(
        "point", ["worker while rendering", "worker before FINISH"]
    )
    def test_and_changes_nothing(self, lines: Lines, point: str) -> None:
        worker = lines.start("worker", point)
        job_id = lines.taken(lines.order(kind="slow"))
        lines.wait_until_stopped(worker)
        lines.hire()
        lines.ended(job_id)
        before = lines.house.facts.everything_of(job_id)
        lines.house.cluster.stop("worker-1")
        lines.house.cluster.thaw(worker)
        after = lines.taken(lines.order())
        lines.ended(after)  # it works again
        assert lines.house.facts.everything_of(job_id) == before
        lines.check()
        assert lines.attempts(job_id) == {"render": 2}
