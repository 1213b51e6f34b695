"""Word that work waits is written with the work, and passed on until it arrived."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import pytest
from tests.unit.jobs.looks import raising, stage_of

from pixtools.domain.errors import Interrupted, StorageUnavailable
from pixtools.domain.job import Stage, Wakeup
from pixtools.jobs.reap import reap
from pixtools.jobs.relay import relay
from pixtools.jobs.run_stage import claim, run_next
from pixtools.testing.house import ABLE, RESIZED, House

CLEAN = {"id": "clean", "action": "denoise"}


class Post:
    """A broker that remembers what it got."""

    def __init__(self) -> None:
        self.got: list[Wakeup] = []

    def __call__(self, wakeups: Sequence[Wakeup]) -> None:
        self.got.extend(wakeups)


@pytest.fixture
def house() -> House:
    house = House()
    house.rule(relayed=True, capabilities=ABLE)
    return house


def due_at(house: House) -> object:
    with house.database.read() as tx:
        return tx.outbox.next_due()


def announces(wakeup: Wakeup, stage: Stage) -> bool:
    known = (stage.id, stage.kind, stage.lane, stage.run_at)
    return known == (wakeup.stage_id, wakeup.kind, wakeup.lane, wakeup.due_at)


def test_each_stage_of_a_job_is_announced_once(house: House) -> None:
    job = house.submit(RESIZED, CLEAN)
    post = Post()
    assert (relay(house.service, post), relay(house.service, post)) == (2, 0)
    with house.database.read() as tx:
        stages = tx.stages.of_job(job.id)
    assert all(map(announces, post.got, stages))
    assert {wakeup.lane for wakeup in post.got} == {
        "default_queue",
        "ml_inference_queue",
    }


def test_an_archive_whose_packer_was_lost_is_announced(house: House) -> None:
    """Whoever makes a job's last picture packs it: nobody has to be called for that."""
    house.rule(ahead_bytes=0)
    house.submit()
    post = Post()
    relay(house.service, post)
    assert house.step()
    assert relay(house.service, post) == 0
    house.clock.advance(61)
    assert reap(house.service) == 1
    house.clock.advance(30)
    assert relay(house.service, post) == 1
    assert [wakeup.kind for wakeup in post.got] == ["render", "archive"]


def test_a_retry_is_announced_when_its_pause_is_over(house: House) -> None:
    job = house.submit()
    post = Post()
    relay(house.service, post)
    raising(house, StorageUnavailable())
    run_next(house.service, "one")
    assert relay(house.service, post) == 0
    house.clock.advance(3)
    assert relay(house.service, post) == 1
    assert announces(post.got[-1], stage_of(house, job))


def test_work_given_back_is_announced_at_once(house: House) -> None:
    house.submit()
    post = Post()
    relay(house.service, post)
    raising(house, Interrupted())
    run_next(house.service, "one")
    assert relay(house.service, post) == 1


def test_work_of_the_dead_is_announced_by_the_reaper(house: House) -> None:
    house.submit()
    post = Post()
    relay(house.service, post)
    claim(house.service, "dead", lanes=("default_queue",))
    house.clock.advance(61)
    reap(house.service)
    house.clock.advance(3)
    assert relay(house.service, post) == 1


def test_what_could_not_be_posted_is_posted_again(house: House) -> None:
    """A broker that is away loses nothing: the whole round is repeated."""
    house.submit()

    def away(wakeups: Sequence[Wakeup]) -> None:
        raise ConnectionError

    with pytest.raises(ConnectionError):
        relay(house.service, away)
    post = Post()
    assert relay(house.service, post) == 1


def test_nobody_waits_for_the_broker(house: House) -> None:
    """However long it takes to answer: meanwhile others write."""
    first = house.submit()

    def slow(wakeups: Sequence[Wakeup]) -> None:
        assert len(wakeups) == 1
        assert house.submit().id != first.id

    assert relay(house.service, slow) == 1
    assert relay(house.service, Post()) == 1


def test_a_round_posts_no_more_than_its_limit(house: House) -> None:
    for _ in range(3):
        house.submit()
    post = Post()
    rounds = [relay(house.service, post, limit=2) for _ in range(3)]
    assert rounds == [2, 1, 0]


def test_nothing_is_written_where_nobody_relays() -> None:
    house = House()
    house.submit()
    house.work()
    assert due_at(house) is None


def test_an_idle_look_writes_nothing(house: House) -> None:
    """Schedulers look often; on SQLite every write has to wait for its turn."""
    house.submit()
    relay(house.service, Post())
    raising(house, StorageUnavailable())
    run_next(house.service, "one")
    assert due_at(house) > house.clock.now() + timedelta(milliseconds=500)  # type: ignore[operator] # a time
    writes = house.database.writes  # type: ignore[attr-defined] # of the twin
    assert relay(house.service, Post()) == 0
    assert house.database.writes == writes  # type: ignore[attr-defined] # of the twin
