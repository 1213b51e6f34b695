"""The crash table, line by line: each test stops a process at exactly that line.

`service-conventions` §7 names the lines. Facts are in SQLite and in PostgreSQL; a
message is a token that says nothing but "look". What kills real processes at random
moments stands beside this; here the moment is chosen.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
from tests.deaths import (
    Story,
    doomed,
    everything,
    is_whole,
    kinds_told,
    leftovers,
    others_take_over,
    upload,
)

from pixtools.domain.errors import LeaseLost
from pixtools.domain.job import Job, Stage, Wakeup
from pixtools.jobs.claimed import Claimed
from pixtools.jobs.pulse import Pulse
from pixtools.jobs.reap import reap
from pixtools.jobs.relay import relay
from pixtools.jobs.run_stage import claim, run_next, run_stage, work
from pixtools.jobs.service import Service
from pixtools.testing.house import House
from pixtools.testing.mortal import Killed

CLAIM, FINISH = 1, 2
"""The writes of a stage that is quickly done, in order."""


class Broker:
    """Keeps what was posted to it; may die at once after that."""

    def __init__(self, *, deadly: bool = False) -> None:
        self.messages: list[Wakeup] = []
        self._deadly = deadly

    def __call__(self, wakeups: Sequence[Wakeup]) -> None:
        self.messages.extend(wakeups)
        if self._deadly:
            raise Killed


def killed(story: Story, service: Service) -> None:
    """Let a process run its story until it dies in it."""
    with pytest.raises(Killed):
        story(service)


def one_stage(service: Service) -> Stage | None:
    return run_next(service, "mortal")


def only_stage(house: House, job: Job) -> Stage:
    with house.database.read() as tx:
        (stage,) = tx.stages.of_job(job.id)
    return stage


def due(house: House) -> dict[str, int]:
    with house.database.read() as tx:
        return {str(lane): n for lane, n in tx.queues.due(house.clock.now()).items()}


def submitted(house: House) -> Job:
    """A job that was accepted and relayed."""
    upload(house.service)
    relay(house.service, Broker())
    (job,) = everything(house)
    return job


def test_the_api_dies_before_its_commit(house: House) -> None:
    """Nothing exists; the client asks again with its key."""
    killed(upload, doomed(house, 1, committed=False))
    assert everything(house) == []
    assert leftovers(house) == []
    upload(house.service)
    others_take_over(house)
    (job,) = everything(house)
    assert is_whole(house, job)


def test_the_api_dies_after_its_commit_before_it_answers(house: House) -> None:
    """The key leads to the same job."""
    killed(upload, doomed(house, 1, committed=True))
    (job,) = everything(house)
    assert upload(house.service) == job.id
    others_take_over(house)
    (job,) = everything(house)
    assert is_whole(house, job)


def test_nobody_publishes_after_the_commit(house: House) -> None:
    """The wake-up is there for whichever scheduler comes next."""
    killed(upload, doomed(house, 1, committed=True))
    broker = Broker()
    assert relay(house.service, broker) == 1
    (job,) = everything(house)
    assert [m.stage_id for m in broker.messages] == [only_stage(house, job).id]


def test_the_relay_dies_after_it_published_before_it_marked(house: House) -> None:
    """The message comes twice, and the work is done once."""
    upload(house.service)
    first, second = Broker(deadly=True), Broker()
    killed(lambda service: relay(service, first), house.service)
    assert relay(house.service, second) == 1
    assert first.messages == second.messages
    (message,) = second.messages
    assert run_stage(house.service, "one", message.stage_id) is not None
    assert run_stage(house.service, "two", message.stage_id) is None
    others_take_over(house)
    assert len(house.renderer.plans) == 1
    assert is_whole(house, everything(house)[0])


def test_the_relay_dies_after_it_marked_before_its_commit(house: House) -> None:
    upload(house.service)
    lost = Broker()
    killed(lambda service: relay(service, lost), doomed(house, 1, committed=False))
    assert relay(house.service, Broker()) == 1


def test_the_broker_loses_every_message(house: House) -> None:
    """What is due is counted in the database; any token finds it."""
    job = submitted(house)
    assert due(house) == {"default_queue": 1}
    assert run_next(house.service, "whoever") is not None
    run_next(house.service, "whoever")
    assert due(house) == {}
    assert house.job(job.id).status == "succeeded"


def test_a_worker_dies_before_it_claims(house: House) -> None:
    """Its message comes again, and finds the stage untouched."""
    job = submitted(house)
    before = only_stage(house, job)
    killed(one_stage, doomed(house, CLAIM, committed=False))
    assert only_stage(house, job) == before
    assert run_stage(house.service, "one", before.id) is not None
    others_take_over(house)
    assert is_whole(house, house.job(job.id))


def test_a_worker_dies_while_it_works(house: House) -> None:
    """A message that comes again at once finds the lease; then the reaper comes."""
    job = submitted(house)
    killed(one_stage, doomed(house, CLAIM, committed=True))
    stage = only_stage(house, job)
    assert (stage.status, stage.attempt) == ("running", 1)
    assert run_stage(house.service, "two", stage.id) is None
    assert run_next(house.service, "two") is None
    assert reap(house.service) == 0
    house.clock.advance(house.rules.lease)
    assert reap(house.service) == 1
    house.clock.advance(3)
    assert relay(house.service, Broker()) == 1
    others_take_over(house)
    assert is_whole(house, house.job(job.id))
    with house.database.read() as tx:
        assert tx.stages.of_job(job.id)[0].attempt == 2


def test_poison_stops_after_its_attempts(house: House) -> None:
    """It kills five workers, and no sixth one."""
    job = submitted(house)
    for _ in range(house.rules.max_attempts):
        killed(one_stage, doomed(house, CLAIM, committed=True))
        house.clock.advance(house.rules.lease)
        assert reap(house.service) == 1
        house.clock.advance(60)
    others_take_over(house)
    ended = house.job(job.id)
    assert ended.error is not None
    assert (ended.status, ended.error.code) == ("failed", "worker_lost")
    assert kinds_told(house, ended).count("done") == 1
    assert leftovers(house) == []


def test_a_worker_dies_after_its_files_are_put_before_it_finishes(
    house: House,
) -> None:
    """They are put again under the same names."""
    job = submitted(house)
    killed(one_stage, doomed(house, FINISH, committed=False))
    assert len([k for k in house.blobs.keys() if "processed/" in k]) == 2  # noqa: SIM118 - no dict
    assert house.job(job.id).status == "processing"
    others_take_over(house)
    assert is_whole(house, house.job(job.id))


def test_a_worker_dies_after_it_finished_before_it_acknowledged(
    house: House,
) -> None:
    """The message comes again, to a stage that is over."""
    house.rule(ahead_bytes=0)
    job = submitted(house)
    killed(one_stage, doomed(house, FINISH, committed=True))
    done = house.job(job.id)
    assert done.status == "succeeded"
    with house.database.read() as tx:
        stage, archive = tx.stages.of_job(job.id)
    assert run_stage(house.service, "two", stage.id) is None
    assert house.job(job.id) == done
    assert archive.kind == "archive"
    others_take_over(house)
    assert is_whole(house, house.job(job.id))


def frozen(house: House) -> tuple[Job, Claimed, Pulse]:
    """A job whose worker stood still past its lease while another did the work."""
    job = submitted(house)
    held = claim(house.service, "zombie", lanes=("default_queue",))
    assert held is not None
    pulse = Pulse(house.service, held.stage)
    others_take_over(house)
    done = house.job(job.id)
    assert is_whole(house, done)
    return done, held, pulse


def test_a_zombie_that_finishes_changes_nothing(house: House) -> None:
    """Neither facts nor files, nor who is told."""
    done, held, _ = frozen(house)
    files = [house.blobs.stat(key) for key in house.blobs.keys()]  # noqa: SIM118 - no dict
    work(house.service, held)
    assert house.job(done.id) == done
    assert [house.blobs.stat(k) for k in house.blobs.keys()] == files  # noqa: SIM118 - no dict
    assert is_whole(house, done)


def test_a_zombie_that_wakes_up_hears_of_it(house: House) -> None:
    """At its next heartbeat, before a file becomes visible."""
    _, _, pulse = frozen(house)
    with pytest.raises(LeaseLost):
        pulse.hold()
    with pytest.raises(LeaseLost):
        pulse(0.5)


DEATHS: dict[str, Callable[[House], Service]] = {
    "nowhere": lambda house: house.service,
    "before its claim is written": lambda house: doomed(house, 1, committed=False),
    "after its claim": lambda house: doomed(house, 1, committed=True),
    "before its end is written": lambda house: doomed(house, 2, committed=False),
    "after its end": lambda house: doomed(house, 2, committed=True),
}


@pytest.mark.parametrize("where", DEATHS)
def test_a_worker_dies_over_an_archive(house: House, where: str) -> None:
    """The job has ended long since, and its archive is packed by another."""
    house.rule(ahead_bytes=0)
    job = submitted(house)
    run_next(house.service, "one")
    try:
        one_stage(DEATHS[where](house))
    except Killed:
        assert house.job(job.id).status == "succeeded"
    others_take_over(house)
    assert is_whole(house, house.job(job.id))
